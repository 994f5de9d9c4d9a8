"""A claim can be asked at a reader's own numbers, or at those of a model's config."""

import json

import pytest

from fixtures.trial.judge import NOT_TRIED
from fixtures.trial.modelconfig import ConfigError, ModelConfig, with_groups
from fixtures.trial.spoken import SpokenError, pairs, understood
from tests.corpus import ROOT, SLUG, page
from tests.test_exploits import IMPLEMENTATION

PAGE = f"traps/lists/{SLUG}.py"
CONFIGS = ROOT / "tests" / "configs"

SHAPES = {
    "Llama-3-8B": (32, 4096, 14336, 32, 8, 128, 128256, {}),
    "Llama-3-70B": (80, 8192, 28672, 64, 8, 128, 128256, {}),
    "Qwen3-32B": (64, 5120, 25600, 64, 8, 128, 151936, {}),
    "Mixtral-8x7B": (32, 4096, 14336, 32, 8, 128, 32000, {"experts": 8, "top_k": 2}),
    "DeepSeek-V2-Lite": (27, 2048, None, 16, None, None, 102400, {"experts": 64, "top_k": 6}),
    "gpt-oss-20b": (24, 2880, 2880, 64, 8, 64, 201088, {"experts": 32, "top_k": 4}),
}
"""Layers, width, width of the MLP, heads, key/value heads, their width, vocabulary, and experts."""

MODEL = {
    "helpers": (
        "\ndef halved(layers, d):\n"
        '    """Half of the layers hold them."""\n'
        "    return layers * d // 2\n\n\n"
        "def whole(layers, d):\n"
        '    """Each layer holds one per number."""\n'
        "    return layers * d\n"
    ),
    "claim": "wrong=halved, right=whole",
    "given": "layers=st.integers(1, 3), d=st.sampled_from([2, 4])",
    "signature": "layers, d",
    "body": "assert observe(norms=sum(d for _ in range(layers))) == answer(layers, d)",
}
"""A claim whose inputs a config tells."""


def asked(result):
    """What is printed below the progress of a run, without its last line."""
    start = next(i for i, line in enumerate(result.outlines) if "%]" in line) + 1
    return [line for line in result.outlines[start:-1] if line]


def test_a_claim_in_full(corpus):
    """A claim tells its sentence, its kind, what was observed, and what every answer says by which factor."""
    corpus.write()
    corpus.run("--evidence=evidence")
    result = corpus.run("--at", "items=4", "-q")

    assert result.ret == pytest.ExitCode.OK
    assert asked(result) == [
        f"{PAGE}: The length of two joined lists",
        "  The joined list holds the items of both. (exact)",
        "  at items=4",
        "    length                   8  observed",
        "    as_long_as_both (right)  8  holds",
        "    as_long_as_one (wrong)   4  is 2 times too small",
        "  Within what the record has tried.",
    ]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (True, "  Beyond what the record has tried: items (2 to 20)."),
        (False, "  No record says what has been tried of this claim."),
    ],
)
def test_beyond_what_was_tried(corpus, record, said):
    """Inputs beyond those of the record are asked too, and the reader is told so."""
    corpus.write()
    if record:
        corpus.run("--evidence=evidence")
    result = corpus.run("--at=items=300")

    assert said in result.outlines
    assert "    length                   600  observed" in result.outlines


def test_what_follows_is_not_observed(corpus):
    """A derived claim says that its number follows from a model."""
    corpus.write(claim='wrong=as_long_as_one, right=as_long_as_both, evidence="derived"')
    result = corpus.run("--at=items=4")

    assert "    length                   8  follows from the model" in result.outlines


def test_a_right_answer_that_fails_there(corpus):
    """Where the right answer does not hold, that is said, and the run fails."""
    corpus.write(right="return 2 * min(items, 20)")
    result = corpus.run("--at=items=40")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "    as_long_as_both (right)  40  is 2 times too small" in result.outlines


def test_implementations_are_tried(corpus):
    """Implementations predict nothing: each is tried, and its assertion shown."""
    corpus.write(**{**IMPLEMENTATION, "head": IMPLEMENTATION["head"].format(more="")})
    result = corpus.run("--at=count=3", "-q")

    assert asked(result)[3:6] == [
        "    rarest                    1/3  observed",
        "    any_of_them (right)            holds",
        "    always_the_first (wrong)       assert Fraction(0, 1) == Fraction(1, 3)",
    ]


def test_inputs_that_the_claim_leaves_out(corpus):
    """Inputs that the claim's assume() rejects are named as such."""
    corpus.write(
        head="from hypothesis import assume",
        body="assume(items < 9)\n    assert observe(length=2 * items) == answer(items)",
    )
    result = corpus.run("--at=items=9")

    assert result.ret == NOT_TRIED
    assert "    test_length: the claim leaves these inputs out" in result.outlines


def test_missing_inputs(corpus):
    """Inputs that are missing are listed with meaning, unit, and what was tried."""
    corpus.write(**MODEL)
    corpus.run("--evidence=evidence")
    result = corpus.run("--at=layers=2")

    assert result.ret == NOT_TRIED
    result.stdout.fnmatch_lines(
        [
            "test_length: The joined list holds the items of both.",
            "  To ask it, say with --at:",
            "    d  width of the residual stream, in numbers  int: 2 to 4",
        ],
        consecutive=True,
    )


REFUSED = {
    "an unknown input": ("item=4", "--at item=4: no selected claim has an input item. Did you mean 'items'?"),
    "no value": ("items", "'items' is no input. Write name=value, with commas between."),
    "no number": (
        "items=four",
        "test_length: items=four is neither a number nor a name that the page knows. Write a number.",
    ),
}


@pytest.mark.parametrize(("at", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_understood(corpus, at, message):
    """Inputs that cannot be understood are one clear error."""
    corpus.write()
    result = corpus.run("--at", at)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {message}" in result.errlines


@pytest.mark.parametrize("option", ["--evidence=evidence", "--signatures", "-n2"])
def test_a_run_of_its_own(corpus, option):
    """Asking records nothing, describes nothing, and takes one process."""
    corpus.write()
    result = corpus.run("--at=items=4", option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    name = option.partition("=")[0].rstrip("2")
    assert result.errlines[0] == f"ERROR: {name} and --at exclude each other. Ask in a run of its own."


@pytest.mark.parametrize(
    ("body", "ret", "line"),
    [
        ("2 * items", 0, "    mine (yours)             8  agrees here"),
        ("2 * items + 1", 1, "    mine (yours)             9  is 12.5 % too large"),
        (
            "items / 0",
            1,
            "    mine (yours)                raised ZeroDivisionError: division by zero (mine.py:1)",
        ),
    ],
)
def test_an_answer_of_ones_own(corpus, body, ret, line):
    """A reader's own answer is asked with the others, and the exit status tells whether it held."""
    corpus.write()
    (corpus.path / "mine.py").write_text(f"def mine(items): return {body}\n", encoding="utf-8")
    result = corpus.run("--at=items=4", "--answer=mine.py:mine")

    assert result.ret == ret
    assert line in result.outlines


def test_an_answer_that_does_not_fit(corpus):
    """An answer of one's own that takes other inputs was not tried."""
    corpus.write()
    (corpus.path / "mine.py").write_text("def mine(n): return n\n", encoding="utf-8")
    result = corpus.run("--at=items=4", "--answer=mine.py:mine")

    assert result.ret == NOT_TRIED
    assert "mine(n) was not asked: inputs go by their names. test_length has items." in result.outlines


def test_what_the_traps_cost_a_model(corpus):
    """Several claims print one table at the numbers of a config, and what could not be asked says why."""
    corpus.write(**MODEL)
    corpus.write(page(**MODEL).replace("test_length", "test_norms"), slug="norms")
    corpus.write(page().replace("test_length", "test_joined"), slug="joined")
    (corpus.path / "tiny.json").write_text('{"num_hidden_layers": 2, "hidden_size": 4}', encoding="utf-8")
    result = corpus.run("--config=tiny.json", "-q")

    assert result.ret == pytest.ExitCode.OK
    assert asked(result) == [
        "what the traps cost tiny:",
        "  claim        observed     answer          says",
        "  test_length  norms     8  halved (wrong)     4  is 2 times too small",
        "  test_norms   norms     8  halved (wrong)     4  is 2 times too small",
        "not asked:",
        "    test_joined: lacks items",
    ]


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_of_public_models(name):
    """A config tells a model's shape; latent attention and two widths of an MLP are left open."""
    layers, d, ffn, heads, kv_heads, dim, vocab, more = SHAPES[name]
    config = ModelConfig.read(CONFIGS / f"{name}.json")
    shape = {"layers": layers, "d": d, "ffn": ffn, "heads": heads, "kv_heads": kv_heads, "dim": dim}
    told = {"vocab": vocab, "tied": False} | {key: value for key, value in shape.items() if value} | more

    assert config.model == name
    assert {key: value for key, value in config.values.items() if key != "dtype"} == told
    assert set(config.open) == {key for key, value in shape.items() if value is None}


def test_what_a_config_leaves_open(tmp_path):
    """What is absent stays absent, and what stands there twice is not guessed."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"num_local_experts": 8, "num_experts": 16, "hidden_size": 5120}))
    config = ModelConfig.read(file)

    assert config.values == {"d": 5120}
    assert config.open == {"experts": "num_local_experts is 8 and num_experts is 16"}
    assert config.model == tmp_path.name


def test_the_language_model_of_a_multimodal_one(tmp_path):
    """The `text_config` of a multimodal model is read where it has one."""
    file = tmp_path / "vlm.json"
    file.write_text(json.dumps({"tie_word_embeddings": True, "text_config": {"hidden_size": 64}}))

    assert ModelConfig.read(file).values == {"d": 64, "tied": True}


def test_a_width_that_is_worked_out():
    """A head's width that is not told is worked out, in a sentence."""
    assert ModelConfig.read(CONFIGS / "Llama-3-8B.json").notes == {
        "dim": "head_dim is not told: hidden_size / num_attention_heads is 128"
    }
    assert ModelConfig.read(CONFIGS / "Qwen3-32B.json").notes == {}


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_no_config(tmp_path, text):
    """A file that is no config is refused."""
    file = tmp_path / "config.json"
    file.write_text(text)

    with pytest.raises(ConfigError, match=r"Name a config\.json\."):
        ModelConfig.read(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        ModelConfig.read(tmp_path / "none.json")


def test_groups_of_heads():
    """Heads, key/value heads and groups tell of each other."""
    assert with_groups({"heads": 64, "kv_heads": 8}) == {"heads": 64, "kv_heads": 8, "group": 8}
    assert with_groups({"group": 4, "kv_heads": 8}) == {"heads": 32, "kv_heads": 8, "group": 4}
    assert with_groups({"heads": 9, "kv_heads": 2}) == {"heads": 9, "kv_heads": 2}


def test_pairs_of_names_and_values():
    """Brackets and quotes keep their commas."""
    assert pairs("a=1, b=[2, (3, 4)],c='x, y' , d=bf16") == {
        "a": "1",
        "b": "[2, (3, 4)]",
        "c": "'x, y'",
        "d": "bf16",
    }


def test_values_by_name():
    """A value may be a literal, a dtype by its short name, or what the page or the record calls so."""
    import torch

    from fixtures import machines

    h100 = next(machine for machine in machines.MACHINES if "H100" in machine.name)

    assert understood("n", "1e3", machines, []) == 1000.0
    assert understood("n", 7, machines, []) == 7
    assert understood("dtype", "torch.bfloat16", machines, []) is torch.bfloat16
    assert understood("dtype", "fp16", machines, []) is torch.float16
    assert understood("machine", h100.name.lower(), machines, []) is h100
    assert understood("norm", "post-norm", machines, ["pre-norm", "post-norm"]) == "post-norm"
    with pytest.raises(SpokenError, match="Did you mean 'pre-norm'"):
        understood("norm", "prenorm", machines, ["pre-norm", "post-norm"])
