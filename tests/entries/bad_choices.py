"""Bad choices of hyperparameters, and bad uses of the learners that need one."""

from tests.entries.bad_input import BadInput, evaluate, train

SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Choices of hyperparameters": (
        evaluate(
            "hyperparameters chosen on test episodes",
            "^--choose_on=test: hyperparameters chosen on test episodes spoil the test; give valid or train$",
            *("--baselines=linear_probe", "--choose_on=test"),
        ),
        evaluate(
            "hyperparameters chosen on the episodes that are evaluated",
            "^--split=valid: hyperparameters are chosen on the same episodes; give another --choose_on$",
            *("--baselines=linear_probe", "--split=valid"),
        ),
        evaluate(
            "a grid without values",
            "^--grid=FineTuningLearner.rate: write a name and its values, as in --grid='",
            "--grid=FineTuningLearner.rate",
        ),
        evaluate(
            "a grid of one name in two flags",
            "^--grid: FineTuningLearner.rate is given twice; give all its values at once",
            *("--baselines=fine_tuning", "--grid=FineTuningLearner.rate=1", "--grid=FineTuningLearner.rate=2"),
        ),
        evaluate(
            "a grid of too many points",
            "^--grid: 1001 points are more than 1000; give fewer values$",
            f"--grid=FineTuningLearner.num_steps={','.join(map(str, range(1001)))}",
        ),
        evaluate(
            "a grid of the run without a name",
            "^--grid changes GradientLearner.num_steps of the run; give --name, and results/test-NAME.json",
            "--grid=GradientLearner.num_steps=1,2",
        ),
        evaluate(
            "a grid of training",
            "^--grid: train.learning_rate acts in training alone, and evaluate does not train; leave it out$",
            *("--grid=train.learning_rate=0.1,0.2", "--name=x"),
        ),
        evaluate(
            "a grid that nothing uses",
            "^--grid: nothing uses LinearProbeLearner.l2 in this evaluation, so that it would have no effect$",
            *("--grid=LinearProbeLearner.l2=1,2", "--name=x"),
        ),
        evaluate(
            "a value out of bounds in a grid",
            "^gin: LinearProbeLearner.l2 = -1 must be a number of at least 0",
            *("--baselines=linear_probe", "--grid=LinearProbeLearner.l2=0.1,-1"),
        ),
        evaluate("no episodes to choose on", "--choose_episodes=0", "--choose_episodes=0"),
        evaluate(
            "a learned head to fine-tune",
            "^FineTuningLearner.head = @LearnedHead is learned over many episodes, and fine-tuning begins with",
            *("--baselines=fine_tuning", "--name=x", "--gin_bindings=FineTuningLearner.head = @LearnedHead"),
            *("--gin_bindings=LearnedHead.num_features = 4", "--gin_bindings=LearnedHead.max_way = 5"),
        ),
        evaluate(
            "a rule without a rate to fine-tune by",
            "^FineTuningLearner.rule = @Clipped has no inner_rate, which FineTuningLearner.rate is for; bind @adam",
            *("--baselines=fine_tuning", "--name=x", "--gin_bindings=import alfa_md.rules.clipped"),
            "--gin_bindings=FineTuningLearner.rule = @clipped",
        ),
        train(
            "a linear probe to train",
            "^LinearProbeLearner is not trained, its features are frozen; train another learner, and use this one in",
            "--gin_config=gin/parts/linear_probe.gin",
        ),
    ),
}
