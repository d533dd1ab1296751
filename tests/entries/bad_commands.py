"""Bad commands: gin bindings and flags, one fault per row."""

from tests.entries.bad_input import BadInput, bound, evaluate, train

SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Gin files and bindings": (
        train(
            "file not found",
            "^gin file not found: gin/proto_mamml.gin; did you mean",
            "--gin_config=gin/proto_mamml.gin",
        ),
        bound(
            "unknown configurable", "^gin: No configurable matching 'trian'.*; did you mean", "trian.num_updates = 3"
        ),
        bound("unknown parameter", "doesn't have a parameter named 'num_update'.*did you mean", "train.num_update = 3"),
        bound("unknown macro", "^gin: nothing uses the macro INNER_RAT; did you mean INNER_RATE", "INNER_RAT = 3"),
        bound(
            "a macro that stands for itself",
            "^gin: the macro IMAGE_SIZE is defined by itself",
            "IMAGE_SIZE = %IMAGE_SIZE",
        ),
        bound(
            "a word for a number",
            "^gin: train.num_updates = 'ten' must be a whole number of at least 0",
            "train.num_updates = 'ten'",
        ),
        bound(
            "a word for a way",
            "^gin: Sampling.num_ways = 'x' must be a whole number of at least 1",
            "Sampling.num_ways = 'x'",
        ),
        bound(
            "a fraction for a whole number",
            "^gin: GradientLearner.num_steps = 2.5 must be a whole number",
            "GradientLearner.num_steps = 2.5",
        ),
        bound(
            "a word by a macro",
            r"^gin: INNER_RATE = 'fast', bound to \w+.inner_rate, must be a number",
            "INNER_RATE = 'fast'",
        ),
        bound(
            "a string for a list",
            "^gin: Experiment.train_sources = 'omniglot' must be a list, each a string",
            "Experiment.train_sources = ('omniglot')",
        ),
        bound(
            "a class that is not called",
            r"^gin: GradientLearner.head = @ZeroHead must be a Head, written @name\(\)",
            "GradientLearner.head = @ZeroHead",
        ),
        bound(
            "a rule that is called",
            r"^gin: GradientLearner.rule = @sgd\(\) must be a reference @name that takes 2 arguments .*; write @sgd$",
            "GradientLearner.rule = @sgd()",
        ),
        bound(
            "no pixels",
            r"^gin: IMAGE_SIZE = -3, bound to \w+.image_size, must be a whole number of at least 1",
            "IMAGE_SIZE = -3",
        ),
        bound(
            "too few pixels",
            "^FourLayerConvNet needs 16 pixels a side or more, not 8x8; raise IMAGE_SIZE",
            "IMAGE_SIZE = 8",
        ),
        bound(
            "fewer than no steps",
            "^gin: GradientLearner.num_steps = -1 must be a whole number of at least 0",
            "GradientLearner.num_steps = -1",
        ),
        bound(
            "no filters",
            "^gin: FourLayerConvNet.num_filters = 0 must be a whole number of at least 1",
            "FourLayerConvNet.num_filters = 0",
        ),
        bound(
            "more ways than classes",
            "^ilsvrc_2012 has 6 train classes, but an episode needs 7; lower Sampling.num_ways",
            "Sampling.num_ways = 7",
        ),
        bound(
            "more shots than images",
            r"class 0 \(colour 0\) has 12 images, but support and query need 13; lower",
            "Sampling.num_support = 12",
        ),
        bound(
            "more queries than images",
            r"class 0 \(colour 0\) has 12 images, but support and query need 13; lower",
            "Sampling.num_query = 12",
        ),
        bound(
            "no shots",
            "^gin: Sampling.num_support = 0 must be a whole number of at least 1",
            "Sampling.num_support = 0",
        ),
        bound(
            "no updates between validations",
            "^gin: train.validate_every = 0 must be a whole number of at least 1",
            "train.validate_every = 0",
        ),
        bound(
            "a rate below zero",
            "^gin: train.learning_rate = -1.0 must be a number of at least 0",
            "train.learning_rate = -1.0",
        ),
    ),
    "Flags": (
        BadInput("an unknown command", "__main__", ("trian",), "^alfa-md has no command 'trian'; did you mean train"),
        train("words", "^train.num_updates=5: .* only; write --gin_bindings='train.num", "train.num_updates=5"),
        train("an empty folder", "^--run_dir= is empty; give a value or leave it out$", "--run_dir="),
        train("a seed too large", "^--seed: 18446744073709551616.* is too large; give at most", f"--seed={2**64}"),
        train("one of the seeds too large", "^--seeds: 9{30} is too large", "--seeds=0," + "9" * 40),
        train(
            "an unknown user",
            "^~nosuchuser/x: the home folder ~nosuchuser is not known; write the whole path",
            "--run_dir=~nosuchuser/x",
        ),
        BadInput("no gin file", "train", (), "--gin_config is missing, e.g. --gin_config=gin/"),
        train("unknown flag", "^Unknown command line flag 'records_rot_dir'", "--records_rot_dir=x"),
        train("a negative seed", "--seed=-1", "--seed=-1"),
        train("unknown device", "--device=tpu: value should be one of <auto|cpu|cuda>", "--device=tpu"),
        evaluate(
            "unknown source", "--sources: unknown source omniglott; there are: ilsvrc_2012,", "--sources=omniglott"
        ),
        evaluate("empty name of a source", "--sources has an empty name; give all, or names", "--sources=,"),
        evaluate("control characters in a source", "has characters that cannot be printed", "--sources=omni\x1bglot"),
        evaluate("the root as a source", r"^source '\.' is not the name of a folder in the data root", "--sources=."),
        evaluate("a source above the root", r"^source '\.\.' is not the name of a folder", "--sources=.."),
        evaluate("a source by a path", "^source './ilsvrc_2012' is not the name", "--sources=./ilsvrc_2012"),
        train(
            "a training source by a path",
            r"source '../omniglot' is not the name of a folder",
            "--gin_bindings=Experiment.train_sources = ('../omniglot',)",
        ),
        evaluate("unknown split", "--split=tset: value should be one of <train|valid|test>", "--split=tset"),
        evaluate("unknown baseline", "--baselines: unknown baseline pixels; there are:", "--baselines=pixels"),
        evaluate("no episodes", "--num_episodes=0", "--num_episodes=0"),
        evaluate(
            "bindings without a name", "--gin_bindings change what is evaluated; give --name", "--gin_bindings=SHOT = 1"
        ),
        evaluate("a name with a slash", "--name=a/b: goes into file names", "--name=a/b"),
        BadInput("no run directory", "evaluate", (), "--run_dir"),
        evaluate(
            "records root missing", "nowhere does not exist; set --records_root_dir", "--records_root_dir=nowhere"
        ),
        BadInput("no figure to plot", "plot", ("--run_dir=run",), "^plot needs the name of a figure: python -m"),
        BadInput("curves of no run", "plot", ("curves",), "^plot curves needs one run directory or more: python -m"),
        BadInput("an episode of no run", "plot", ("episode", "run"), "^plot episode takes one run, as --run_dir=RUN$"),
        BadInput(
            "an inner step that is not taken",
            "plot",
            ("hyperparameters", "--run_dir=run", "--num_episodes=1", "--step=7"),
            r"^--step=7: \S+ takes inner steps 0 to 0$",
        ),
        BadInput(
            "a flag given twice",
            "plot",
            ("episode", "--run_dir=run", "--source=omniglot", "--source=dtd"),
            "^flag --source=dtd: already defined as omniglot; give it once$",
        ),
        evaluate("a seed given twice", "^flag --seed=1: already defined as 0; give it once$", "--seed=0", "--seed=1"),
        evaluate("yes and no", "^flag --query_std=false: already .* give it once$", "--query_std", "--noquery_std"),
        BadInput(
            "curves of runs by a flag",
            "plot",
            ("curves", "run", "--run_dir=other"),
            "^--run_dir=other: plot curves takes its runs as words; write plot curves RUN",
        ),
        BadInput("one run to compare", "compare", ("run",), "^compare needs two run directories or results files"),
        evaluate(
            "a binding of training in an evaluation",
            "^gin: train.learning_rate acts in training alone, and evaluate does not train; leave it out$",
            *("--gin_bindings=train.learning_rate = 5.0", "--name=x"),
        ),
        BadInput("no source to convert", "convert", (), "^name checkpoint or one source"),
        BadInput(
            "unknown source to convert",
            "convert",
            ("omniglott", "--source_dir=.", "--records_root_dir=new"),
            "^unknown source 'omniglott'",
        ),
        BadInput(
            "no originals to convert",
            "convert",
            ("omniglot", "--source_dir=nowhere", "--records_root_dir=new"),
            "^nowhere: no such folder",
        ),
        BadInput(
            "originals of another source",
            "convert",
            ("dtd", "--source_dir=records", "--records_root_dir=new"),
            "^records: folder images is missing; unpack dtd-r1.0.1.tar.gz",
        ),
        BadInput("no records to check", "check", ("--records_root_dir=nowhere",), "^nowhere: no such folder; set"),
        BadInput("no folder to check", "check", (), "^--records_root_dir must be given"),
        BadInput("no word for episodes", "episodes", (), r"^episodes needs one word: .* dump\|replay\|show"),
        BadInput(
            "a dump to nowhere",
            "episodes",
            ("dump", "--records_root_dir=records", "--source=omniglot"),
            "^dump needs a folder to write to, --out",
        ),
    ),
}
