"""Formulas and figures of public issues and pull requests, judged by the claims that are about them."""

import re

import pytest

from tests.corpus import ROOT


@pytest.fixture
def judged(corpus):
    """Have a claim, on a page by itself, judge a formula or tell its own numbers."""

    def run(claim, *arguments, formula=""):
        (path,) = (p for p in ROOT.glob("traps/*/*.py") if f"\ndef {claim}(" in p.read_text(encoding="utf-8"))
        page = corpus.write(path.read_text(encoding="utf-8"), slug=path.stem, area=path.parent.name)
        (corpus.path / "public.py").write_text(f"{formula}\n", encoding="utf-8")
        return corpus.run(f"{page}::{claim}", "-q", *arguments)

    return run


def observed(result):
    """What a claim that was asked at given inputs observed."""
    return re.search(
        r"^ +\w+ +(\S+) +(?:observed|follows from the model)$", result.stdout.str(), re.MULTILINE
    )[1].strip("'")


MEGATRON = """
def training_flops(params, vocab, tied, layers, d, context, tokens):
    return 72 * tokens * layers * d**2 * (1 + context / (6 * d) + vocab / ({0} * layers * d))
"""


@pytest.mark.parametrize(("share", "ret"), [(12, 0), (16, 1)])
def test_flops_of_the_output_head(judged, share, ret):
    """Megatron-LM pull 995: beside the factor 72 the output head counts V/(12Lh), and not V/(16Lh)."""
    formula = MEGATRON.format(share)
    result = judged("test_training_flops", "--answer=public.py:training_flops", formula=formula)

    assert result.ret == ret


def test_flops_of_the_smallest_model(judged):
    """Megatron-LM pull 995: one layer of width 16, one token and 16 words cost 20,160 FLOPs, not 19,776."""
    result = judged("test_training_flops", "--at=d=16, layers=1, context=1, batch=1, vocab=16, tied=False")

    assert observed(result) == "20,160"
    told = {}
    exec(MEGATRON.format(16), told)
    names = {"params": 12 * 16**2 + 2 * 16**2, "vocab": 16, "tied": False}
    sizes = {"layers": 1, "d": 16, "context": 1, "tokens": 1}
    assert told["training_flops"](**names, **sizes) == pytest.approx(19_776)


@pytest.mark.parametrize(("context", "share"), [(1, 1), (2, 0.75), (64, 0.508)])
def test_share_of_causal_attention(judged, context, share):
    """MaxText issue 1972, torchtitan pull 4366: of T tokens' attention (T + 1)/(2T) is needed."""
    result = judged("test_causal_attention_share", f"--at=context={context}, block=1")

    assert float(observed(result)) == pytest.approx(share, abs=0.0005)


CAUSAL = "def block_flops(context, d, causal):\n    return 1 + context * ({0} if causal else 1) / (6 * d)"


@pytest.mark.parametrize(("share", "ret"), [("(context + 1) / (2 * context)", 0), ("1", 1)])
def test_flops_of_a_causal_block(judged, share, ret):
    """MaxText issue 1972: a count in full is right where all scores are computed, and there alone."""
    formula = CAUSAL.format(share)
    claim = "test_block_flops_relative_to_its_weights"
    result = judged(claim, "--answer=public.py:block_flops", formula=formula)

    assert result.ret == ret


def test_speed_up_of_a_draft(judged):
    """llama.cpp issue 3649: an acceptance of 0.44, five tokens ahead and a draft of 0.11 make 1.14."""
    result = judged("test_draft_speed", "--at=accepted=0.44, gamma=5, cost=0.11")

    assert float(observed(result)) == pytest.approx(1.14, abs=0.005)


STEP = """
def draw(law, rng):
    return rng.choices(range(len(law)), law)[0]

def step(draft, target, text, gamma, rng):
    guessed, laws = list(text), []
    for _ in range(gamma):
        laws.append(draft(guessed)[-1])
        guessed.append(draw(laws[-1], rng))
    wanted, new = target(guessed)[len(text) - 1:], []
    for p, q, guess in zip(wanted, laws, guessed[len(text):]):
        residual = [max(a - b, 0) for a, b in zip(p, q)] if p != q else p
        {0}
        if not stands:
            return [*new, token]
        new.append(guess)
    return [*new, draw(wanted[-1], rng)]
"""
EQUAL = "token = draw(p, rng); stands = token == guess"
EQUAL_ELSE_RESIDUAL = f"{EQUAL}; token = token if stands else draw(residual, rng)"
RATIO = (
    "a = min(1, p[guess] / q[guess]); stands = rng.choices([True, False], [a, 1 - a])[0]; "
    "token = guess if stands else draw(residual, rng)"
)
AT = "p=[0.5, 0.25, 0.25, 0], q=[0.25, 0.25, 0.5, 0]"


@pytest.mark.parametrize(("rule", "ret"), [(RATIO, 0), (EQUAL, 0), (EQUAL_ELSE_RESIDUAL, 1)])
def test_law_of_an_acceptance_rule(judged, rule, ret):
    """mlxcel pull 992: "equal to the target's own draw" keeps the law, "equal, else residual" does not."""
    formula = STEP.format(rule)
    result = judged("test_speculative_step_keeps_the_law", "--answer=public.py:step", formula=formula)

    assert result.ret == ret


def test_law_of_equal_else_residual(judged):
    """mlx-swift-lm pull 459: it writes 13/16, 1/16, 1/8 where the target says 1/2, 1/4, 1/4."""
    arguments = "--answer=public.py:step", f"--at={AT}, gamma=1"
    formula = STEP.format(EQUAL_ELSE_RESIDUAL)
    result = judged("test_speculative_step_keeps_the_law", *arguments, formula=formula)

    (said,) = (line for line in result.stdout.lines if "step (yours)" in line)
    assert "assert [0.8125, 0.0625, 0.125, 0.0] == approx([0.5" in said


@pytest.mark.parametrize(("rule", "said"), [(RATIO, "agrees here"), (EQUAL, "assert 0.3125 == 0.75")])
def test_rate_of_an_acceptance_rule(judged, rule, said):
    """mlxcel pull 992: min(1, p/q) accepts 3/4 where "equal to the target's own draw" accepts 5/16."""
    arguments = "--answer=public.py:step", f"--at={AT}"
    claim = "test_speculative_step_accepts_the_overlap"
    result = judged(claim, *arguments, formula=STEP.format(rule))

    assert observed(result) == "0.75"
    assert f"step (yours) {said}" in " ".join(result.stdout.str().split())


@pytest.mark.parametrize(("eps", "step"), [(1e-8, "inf"), (1e-5, "finite"), (1e-4, "finite")])
def test_first_step_of_adam_in_fp16(judged, eps, step):
    """glide-finetune pull 6: where fp16 rounds eps to 0 the step is inf at 6.1e-5; 1e-5 and 1e-4 cure it."""
    gradient = 2.0**-14
    result = judged(
        "test_fp16_first_step_of_adam", f"--at=gradient={gradient}, b2=0.999, eps={eps}, path=foreach"
    )

    assert (observed(result) in ("inf", "-inf", "nan")) == (step == "inf")
    assert observed(result) != "nan"


@pytest.mark.parametrize(("b2", "factor"), [(0.95, 1.643), (0.999, 0.244)])
def test_step_after_a_wrong_counter(judged, b2, factor):
    """TransformerEngine issue 1986: moments of 2641 steps under the counter 2 step 1.643 or 0.244 as far."""
    result = judged("test_adamw_resumes_with_half_its_state", f"--at=taken=2641, counter=2, b1=0.9, b2={b2}")

    assert float(observed(result)) == pytest.approx(factor, abs=0.001)


@pytest.mark.parametrize(
    ("kept", "steps"), [("copy()", 5), ("copy.copy()", 5), ("v.cpu()", 5), ("v.clone()", 2)]
)
def test_best_model_that_was_kept_in_memory(judged, kept, steps):
    """PyPOTS issue 667: what shares the tensors goes on training, a clone stays."""
    result = judged("test_model_kept_in_memory_goes_on_training", f"--at=kept='{kept}', before=2, after=3")

    assert float(observed(result)) == steps


@pytest.mark.parametrize(("norm", "value"), [("written out", "nan"), ("F.layer_norm", "0")])
def test_norm_of_a_constant_row_in_fp16(judged, norm, value):
    """DeepSpeed issue 581: an eps of 1e-12 is lost in fp16, where F.layer_norm still gives 0."""
    result = judged("test_fp16_norm_of_a_row", f"--at=dtype=fp16, norm='{norm}', spread=0.0, eps=1e-12")

    assert observed(result) == value


HIDDEN_BY_HEADS = """
def cache_bytes(heads, kv_heads, dim, tokens, d={0}):
    return 2 * kv_heads * (d // heads) * tokens * 2
"""


@pytest.mark.parametrize(
    ("d", "shape", "off"),
    [
        (5120, "kv_heads=8, group=4, dim=128", "is 1.25 times too large"),  # Mistral-Small: 128, not 160
        (2880, "kv_heads=8, group=8, dim=64", "is 1.422 times too small"),  # gpt-oss: 64, not 45
    ],
)
def test_cache_where_a_head_has_its_own_width(judged, d, shape, off):
    """vllm-fit issue 2, LMCache issue 688: a formula that takes hidden/heads for head_dim is off."""
    formula = HIDDEN_BY_HEADS.format(d)
    arguments = "--answer=public.py:cache_bytes", f"--at={shape}, tokens=1"
    result = judged("test_bytes_of_the_cache", *arguments, formula=formula)

    (said,) = (line for line in result.stdout.lines if "cache_bytes (yours)" in line)
    assert said.endswith(off)
    assert result.ret == 1
