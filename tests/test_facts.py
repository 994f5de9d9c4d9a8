"""The facts: one document of all that is printed, with a schema that describes every field."""

import json

import jsonschema
import pytest

from fixtures.trial.record import Observation
from tests.corpus import ROOT
from tests.specimens import (
    CPU,
    TPU,
    add,
    examples,
    found,
    read_page,
    runs_of,
    unverified,
    write_page,
    write_record,
)
from tools.facts import FACTS, SCHEMA, Facts, facts, main, schema
from tools.ids import ALIASES, ids, ledger, publish
from tools.view import view

WORKED = examples(
    [4096, 512], [4096, 512], [4096, 2048], [0, "raised ZeroDivisionError"], heads=[8, 8], group=[1, 4]
)


def told(root):
    """The facts of a repository as they are read from their file."""
    return json.loads(facts(view(root), ledger(root)).text())


@pytest.fixture(scope="module")
def corpus():
    """What the records and the pages of the repository say."""
    return view(ROOT)


# What stands in them


def test_a_page_is_told_whole(repository):
    """Everything of its colophon, its place, and its claims."""
    rest = (
        "Answer: One per group.\nSays: No head is cached.\nTerms: GQA, KV cache\n"
        "Right when: One head.\nLimits: A toy."
    )
    add(repository, "inference/kvcache", rest=rest, verdict="refuted by too_few: one per group")

    (page,) = told(repository)["pages"]

    text = (repository / "traps/inference/kvcache.py").read_text()
    assert page.pop("claims")
    assert page == {
        "id": "kvcache",
        "area": "inference",
        "title": "Heads of the cache",
        "question": "A model has eight heads. How many does the cache hold for each token?",
        "asks": "How many does the cache hold for each token?",
        "answer": "One per group.",
        "says": "No head is cached.",
        "verdict": {
            "word": "refuted",
            "statement": "one per group",
            "answer": "kvcache::test_heads[wrong-too_few]",
        },
        "asked": [{"text": "A Book of Traps, chapter 2", "links": []}],
        "sources": [
            {"text": "Noether 1918, https://example.org/a_b_(c)", "links": ["https://example.org/a_b_(c)"]}
        ],
        "terms": ["GQA", "KV cache"],
        "right_when": "One head.",
        "limits": "A toy.",
        "file": "traps/inference/kvcache.py",
        "lines": len(text.splitlines()),
        "digest": read_page(repository).digest,
        "aliases": [],
    }


def test_a_claim_is_told_whole(repository):
    """Its regime, what its inputs mean, what was observed, and where it is verified."""
    page = read_page(repository)
    write_record(repository, page, runs_of(page, right={"worked": WORKED}))

    ((claim,),) = (page["claims"] for page in told(repository)["pages"])

    assert claim["id"] == "kvcache::test_heads"
    assert claim["sentence"] == "The cache grows with groups."
    assert (claim["evidence"], claim["quantity"]) == ("exact", "kept_bytes")
    assert claim["regime"] == "@given(heads=st.integers(1, 8), group=st.integers(2, 8))"
    assert [*claim["inputs"]] == ["heads", "group"]
    assert claim["inputs"]["heads"].startswith("query heads")
    assert (claim["verified"], claim["owed"]) == ([CPU], {})
    assert claim["observed"] == {CPU: {"kept_bytes": {"smallest": 1, "largest": 12345, "last": 7}}}
    _, row = claim["worked"][CPU]
    assert row == {
        "inputs": {"heads": 8, "group": 4},
        "observed": {"kept_bytes": 512},
        "predicted": [
            {"answer": "kvcache::test_heads[right-just_right]", "value": 512, "factor": 1.0},
            {"answer": "kvcache::test_heads[wrong-too_many]", "value": 2048, "factor": 4.0},
            {
                "answer": "kvcache::test_heads[wrong-too_few]",
                "value": "raised ZeroDivisionError",
                "factor": None,
            },
        ],
    }


def test_an_answer_is_told_whole(repository):
    """How it fails at the smallest inputs and at those to show, how often, and by how much."""
    page = read_page(repository)
    write_record(repository, page, runs_of(page, right={"worked": WORKED}))

    right, wrong, _ = told(repository)["pages"][0]["claims"][0]["answers"]

    assert (right["right"], right["sentence"]) == (True, "One a group.")
    assert right["reason"] == "A group reads the same pair.\n\nIt always did."
    assert (right["counterexample"], right["telling"], right["examples"]) == ({}, None, {CPU: 100})
    assert wrong == {
        "id": "kvcache::test_heads[wrong-too_many]",
        "name": "too_many",
        "right": False,
        "sentence": "All of them.",
        "reason": "",
        "examples": {CPU: 3},
        "counterexample": {
            CPU: {
                "inputs": {"heads": 1, "group": 2},
                "observed": 1,
                "predicted": 2,
                "assertion": "assert 1 == 2",
            }
        },
        "telling": {"inputs": {"heads": 8, "group": 4}, "observed": 512, "predicted": 2048, "assertion": ""},
        "fit": {
            CPU: {
                "agrees": 27,
                "of": 100,
                "raised": 0,
                "ratio": {"smallest": 1.3, "median": 2.0, "largest": 8.0},
                "off": {"smallest": 1.3, "median": 2.0, "largest": 8.0},
            }
        },
    }


def test_what_is_unverified_is_owed_with_its_reason(repository):
    """A claim that waits for a device has no evidence, and says why."""
    page = write_page(repository, "gpu/streams", device="gpu")
    write_record(repository, page, unverified(page))

    claim = told(repository)["pages"][0]["claims"][0]

    assert (claim["verified"], claim["owed"]) == ([], {CPU: "no CUDA device here"})
    assert claim["quantity"] == ""
    assert all(answer["fit"] == answer["examples"] == {} for answer in claim["answers"])


def test_each_column_stands_by_its_name(repository):
    """What two machines saw is told apart."""
    page = read_page(repository)
    one = {"kept_bytes": Observation(smallest=2, largest=2, last=2)}
    write_record(
        repository, page, runs_of(page, right={"observed": one}, first={"counterexample": found(3, 4)}), **TPU
    )

    seen = told(repository)

    assert [column["name"] for column in seen["columns"]] == [CPU, "tpu, torch 2.11"]
    claim = seen["pages"][0]["claims"][0]
    assert claim["observed"]["tpu, torch 2.11"]["kept_bytes"]["largest"] == 2
    assert claim["answers"][1]["counterexample"]["tpu, torch 2.11"]["observed"] == 3


def test_areas_list_their_pages(repository):
    """In the order in which both are printed."""
    add(repository, "gpu/streams")

    assert told(repository)["areas"] == [
        {"name": "gpu", "title": "GPU", "opening": "What serving costs.", "pages": ["streams"]},
        {"name": "inference", "title": "Inference", "opening": "What serving costs.", "pages": ["kvcache"]},
    ]


def test_a_page_knows_the_names_that_it_had(repository):
    """They are its aliases, with what was published under them."""
    publish(repository, ["heads", *ids(view(repository))])
    (repository / ALIASES).write_text('[renamed]\nheads = "kvcache"\n')

    assert told(repository)["pages"][0]["aliases"] == ["heads"]


# Form


def test_the_committed_schema_is_the_one_of_the_model():
    """It is valid, and its dialect is named."""
    committed = (ROOT / "tools" / SCHEMA).read_text(encoding="utf-8")

    assert committed == schema(), f"run `python -m tools.facts --schema > tools/{SCHEMA}`"
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))


def test_every_field_is_described():
    """Each part and each of its fields says in the schema what it is."""
    drawn = json.loads(schema())
    parts = {"Facts": drawn, **{name: part for name, part in drawn["$defs"].items() if name != "JsonValue"}}

    nameless = [name for name, part in parts.items() if not part.get("description")]
    nameless += [
        f"{p}.{f}"
        for p, part in parts.items()
        for f, v in part["properties"].items()
        if "description" not in v
    ]
    assert nameless == []


def test_the_facts_of_the_corpus_fit_their_schema(corpus):
    """Read back they are what they were."""
    seen = facts(corpus, ledger(ROOT))
    text = seen.text()

    jsonschema.validate(json.loads(text), json.loads(schema()))
    assert Facts.model_validate_json(text) == seen
    assert len(seen.pages) == len(corpus.pages)


def test_the_facts_are_the_same_each_time(corpus):
    """Same bytes: no date, no order that varies; one page a line, one newline at the end."""
    text = facts(corpus, ledger(ROOT)).text()

    assert text == facts(view(ROOT), ledger(ROOT)).text()
    assert text.endswith("]\n}\n")
    assert sum(line.startswith('{"id"') for line in text.splitlines()) == len(corpus.pages)


def test_every_id_is_there_once(corpus):
    """The ids of the document are those that are published."""
    seen = facts(corpus)
    there = []
    for page in seen.pages:
        there.append(page.id)
        for claim in page.claims:
            there += [claim.id, *(answer.id for answer in claim.answers)]

    assert tuple(there) == ids(corpus)
    assert len({*there}) == len(there)


def test_text_stays_what_it_was(repository):
    """Letters are not escaped, and whatever a page says is data."""
    add(repository, "inference/kvcache", title='Größe “<script>” \\ "√"')

    text = facts(view(repository)).text()

    assert 'Größe “<script>” \\\\ \\"√\\"' in text
    assert told(repository)["pages"][0]["title"] == 'Größe “<script>” \\ "√"'


# From the terminal


def test_facts_are_written(repository, capsys):
    """Both files, into the folder for what is built, or another."""
    assert main(["--root", str(repository)]) == 0
    assert main(["--root", str(repository), "--out", str(repository / "there")]) == 0

    for folder in ("build", "there"):
        assert (repository / folder / FACTS).read_text() == facts(view(repository)).text()
        assert (repository / folder / SCHEMA).read_text() == schema()
    assert "there/facts.json: 1 page, 1 claim, 3 answers.\n" in capsys.readouterr().out


def test_new_ids_are_published_on_demand(repository, capsys):
    """Without `--publish` nothing is written down."""
    main(["--root", str(repository)])
    assert ledger(repository).published == ()

    assert main(["--root", str(repository), "--publish"]) == 0
    assert ledger(repository).published == ids(view(repository))
    assert capsys.readouterr().out.endswith("1 page, 1 claim, 3 answers; 5 ids published.\n")


def test_the_schema_is_printed(capsys):
    """Nothing else is, and no repository is needed."""
    assert main(["--schema"]) == 0
    assert capsys.readouterr().out == schema()


def an_id_that_is_lost(root):
    publish(root, ["gone"])
    return "gone of tools/published.txt is no longer in the corpus."


def a_torn_record(root):
    (root / "evidence/cpu/inference/kvcache.json").write_text("{")
    return "kvcache.json: is not JSON"


def a_syntax_error(root):
    (root / "traps/inference/kvcache.py").write_text('"""Title"""\ndef (\n')
    return "traps/inference/kvcache.py:2: invalid syntax. Mend the page first."


def a_folder_that_is_a_file(root):
    (root / "build").write_text("mine")
    return "build"


@pytest.mark.parametrize(
    "spoil", [an_id_that_is_lost, a_torn_record, a_syntax_error, a_folder_that_is_a_file]
)
def test_what_cannot_be_told_is_refused(repository, capsys, spoil):
    """Exit status 2, one line that names the cause; nothing is written, and nothing published."""
    expected = spoil(repository)
    before = ledger(repository).published

    assert main(["--root", str(repository), "--publish"]) == 2

    said = capsys.readouterr()
    assert expected in said.err
    assert len(said.err.splitlines()) == 1
    assert not said.out
    assert ledger(repository).published == before
    assert not (repository / "build" / FACTS).exists()
