"""Architectures in configurations in place of the folders that they come from, so that a run does not need these."""

import sys

from gin.config import ConfigurableReference

from alfa_md.experiment.stored_config import Config

HUB = "alfa_md.backbones.foreign.hub"


def inline_models(config: Config) -> None:
    """Replaces the folders and names bound to `hub_backbone.model` by what their config.json says. Raises UserError."""
    for (_, selector), values in config.items():
        if selector == f"{HUB}.hub_backbone" and "model" in values:
            model = _macro_value(values["model"], config)
            if isinstance(model, str):
                values["model"] = sys.modules[HUB].model_configuration(model)


def _macro_value(value: object, config: Config) -> object:
    """The value of a macro, any other value unchanged; circles have been refused."""
    while isinstance(value, ConfigurableReference) and value.selector == "gin.macro":
        value = config[value.config_key]["value"]
    return value
