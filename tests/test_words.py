"""Words of songs: sung spellings, words never learnt, silence, and what the tables answer."""

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.guides.shipped_text import WordTokenizer
from engine.guides.words import SHIPPED_PATH, Words, read_words
from engine.training.aliases import full_tokenizer, rewrite
from engine.training.concepts import Concepts, read_concepts, tokenizer_for
from engine.training.coverage import LISTS, covered, read_list
from engine.training.links import read_links
from engine.training.wordnet import FOLDER
from vj.dashboard.entry import meaning

sys.path.insert(0, str(Path(__file__).parent / "rigs"))

from moving_show import MovingShow
from watching import dashboard, shows

needs_wordnet = pytest.mark.skipif(not (FOLDER / "data.noun").exists(), reason="WordNet is not installed")

SMALL = Words(
    ["burning", "heart", "heaven", "love", "run", "ship", "shooting", "star", "beneath", "of"],
    {"schooner": "ship", "matter": "", "mat": "star", "shell": "ship", "hell": "burning", "freedom": "star heaven"},
    {"heart": "heart", "shooting star": "shooting star", "star": "star", "love": "heart", "ship": "ship"},
)


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return read_concepts()


@pytest.fixture(scope="module")
def tokenizer(concepts: Concepts) -> WordTokenizer:
    return full_tokenizer(concepts)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("burnin' hearts", "burning heart"),
        ("lovin you, runnin'", "love run"),
        ("looooove", "love"),
        ("'cause she'll know we'd matter", ""),
        ("he’ll sail 'neath a stár", "beneath star"),
        ("Schooners' freedom", "ship star heaven"),
        ("gonna, ev'ry, can't", ""),
    ],
)
def test_a_sung_line_is_read(line: str, read: str) -> None:
    assert SMALL.read(line) == read.split()


def test_places_say_nothing_where_nothing_is_drawn_on_one_side() -> None:
    words = Words(["on", "over", "sea", "ship", "and"], {"then": ""}, {"sea": "sea", "ship": "ship"})
    assert words.read("on the ship over the sea and then") == ["ship", "over", "sea"]
    assert words.read("on and on") == ["on", "and", "on"]


def test_what_is_drawn_is_named_once_and_by_its_longest_phrase() -> None:
    assert SMALL.drawn("a heart of love, a shooting star, schooner and star") == [
        "heart",
        "shooting star",
        "ship",
        "star",
    ]


def test_what_a_word_only_reminds_of_is_left_out_where_something_is_named() -> None:
    words = Words(["hand", "door", "red"], {"keep": "?hand", "gate": "door"}, {"hand": "hand", "door": "door"})
    assert words.read("keep the red gate") == ["red", "door"]
    assert words.read("keep it red") == ["hand", "red"]
    assert words.drawn("keeping") == ["hand"] and words.is_faint("keeps") and not words.is_faint("gate")


def test_a_mood_names_nothing_that_other_words_must_give_way_to() -> None:
    shown = {"gloomy": "gloomy", "hand": "hand", "moon": "moon"}
    things, moods = frozenset({"hand", "moon"}), frozenset({"gloomy"})
    words = Words(["gloomy", "hand", "moon"], {"finger": "?hand"}, shown, things, moods)
    assert words.drawn("gloomy finger") == ["gloomy", "hand"]
    assert words.drawn("gloomy moon, finger") == ["gloomy", "moon"]


@needs_wordnet
def test_verbs_beside_a_thing_are_silent_but_weather_never_is(tokenizer: WordTokenizer) -> None:
    words = Words(tokenizer.words, tokenizer.aliases, tokenizer.shown, tokenizer.things)
    assert words.drawn("the station kept me waiting") and words.drawn("kept waiting")
    assert "hand" not in words.drawn("you kept the piano") and words.drawn("you kept it") == ["hand"]
    assert words.drawn("a blazing piano") == ["fire", "piano"]
    assert not words.is_faint("harbour") and not words.is_faint("schooner")


@needs_wordnet
@pytest.mark.parametrize(
    ("line", "drawn"),
    [
        ("quiet as a mouse I walk behind you", ["mouse"]),
        ("walking in the rain", ["footprints", "rain"]),
        ("there's a snake around my finger", ["snake"]),
        ("me and the top hat", ["hat"]),
        ("a teddy bear", ["teddy bear"]),
        ("a crow in a tree", ["raven", "tree"]),
        ("love and a rose", ["heart", "rose"]),
        ("you kept freedom", ["bird", "blue sky"]),
        ("luv in the rain", ["rain"]),
    ],
)
def test_of_words_beside_a_thing_only_those_that_name_things_are_drawn(
    tokenizer: WordTokenizer, line: str, drawn: list[str]
) -> None:
    words = Words(tokenizer.words, tokenizer.aliases, tokenizer.shown, tokenizer.things)
    assert words.drawn(line) == drawn


def test_a_file_that_holds_no_words_gives_none(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 20)
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    assert read_words(tmp_path / "missing") is None
    assert read_words(tmp_path / "broken.safetensors") is None
    assert read_words(tmp_path / "other.safetensors") is None


def test_words_are_read_from_a_guides_header_and_its_table_can_be_renewed(tmp_path: Path) -> None:
    guide = tmp_path / "guide.safetensors"
    facts = {"words": ["heart", "ship"], "aliases": {}, "shape": {"image_size": 64}}
    save_file({"x": torch.ones(3)}, guide, {"guide": json.dumps(facts), "licence": "MIT"})
    rewrite(guide, WordTokenizer(["heart", "ship"], {"schooner": "ship"}, {"ship": "ship"}))
    words = read_words(guide)
    assert words is not None
    assert words.drawn("two schooners") == ["ship"]
    with pytest.raises(ValueError, match="learnt other words"):
        rewrite(guide, WordTokenizer(["heart"], {}))


def test_a_link_written_twice_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "links.toml"
    table.write_text('silent = "the"\nwide = ""\n[senses]\n[links.a]\nship = "yawl, the"\nheart = "yawl"\n')
    with pytest.raises(ValueError, match="the, yawl: written more than once"):
        read_links(table)


def test_no_alias_changes_a_learnt_caption(concepts: Concepts, tokenizer: WordTokenizer) -> None:
    plain = tokenizer_for(concepts)
    phrases = [f"{p} heart" if p.endswith(" of") else p for p in concepts.phrases()]
    changed = [p for p in phrases if plain.numbers(p) != tokenizer.numbers(p)]
    form = Words(tokenizer.words, tokenizer.aliases).form
    assert all({form(word) for word in phrase.split()} & set(read_links().instead) for phrase in changed)
    assert tokenizer.words == plain.words


def test_a_word_learnt_by_chance_means_what_is_sung_but_keeps_its_picture_in_its_phrase(
    tokenizer: WordTokenizer,
) -> None:
    words = Words(tokenizer.words, tokenizer.aliases, tokenizer.shown, tokenizer.things)
    assert words.read("dark") == ["midnight", "blackness"]
    assert words.read("a dark blue ship") == ["dark", "blue", "ship"]
    assert words.drawn("musical notes") == ["musical notes"]


@needs_wordnet
@pytest.mark.parametrize(
    ("word", "drawn"),
    [
        ("spaniel", "dog"),  # a noun, by its kind
        ("petal", "flower"),  # by what it is a part of
        ("harbour", "anchor"),  # learnt itself
        ("freedom", "bird"),  # abstract, by hand
        ("whispering", "speech bubble"),  # verbs
        ("sang", "lips"),
        ("drowned", "underwater"),
        ("lonesome", "person"),  # adjectives
        ("icy", "snow"),
        ("sadly", "crying face"),  # an adverb
        ("wolves", "wolf"),
        ("army", "gun"),  # not an arm
        ("busy", "bee"),  # not a bus
    ],
)
def test_a_word_never_learnt_is_drawn(tokenizer: WordTokenizer, word: str, drawn: str) -> None:
    words = Words(tokenizer.words, tokenizer.aliases, tokenizer.shown, tokenizer.things)
    assert drawn in words.drawn(word)


def test_words_that_mean_nothing_drawn_stay_silent(tokenizer: WordTokenizer) -> None:
    words = Words(tokenizer.words, tokenizer.aliases, tokenizer.shown, tokenizer.things)
    assert words.read("the this because 'cause gonna ain't doesn't would've theirs always does it is I am") == []
    assert words.drawn("of in and with me up") == []


def test_the_table_of_aliases_is_small(tokenizer: WordTokenizer) -> None:
    assert len(json.dumps(dict(tokenizer.aliases))) < 400_000


@needs_wordnet
@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_nearly_every_frequent_word_is_drawn(tokenizer: WordTokenizer, path: Path) -> None:
    words = Words(tokenizer.words, tokenizer.aliases, tokenizer.shown, tokenizer.things)
    assert covered(words, read_list(path)).share > 0.95


def test_coverage_counts_and_samples_a_list(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# a comment\nheart schooner\nmatter star\n")
    found = covered(SMALL, read_list(path))
    assert found.share == 0.75
    assert found.sample(2, seed=3) == found.sample(2, seed=3)
    assert len(found.sample(9, seed=3)) == 4


def test_the_dashboard_names_what_the_shipped_guide_draws_and_nothing_for_a_published_one() -> None:
    assert meaning("a red ship", "shipped") == " draws: red, ship"
    assert meaning("qwrtz", "shipped") == " draws: nothing it knows"
    assert meaning("a red heart", "ViT-B-32:openai") == ""
    assert meaning("a red heart", "") == ""


async def test_the_line_under_the_entry_follows_what_is_typed(tmp_path: Path) -> None:
    show = MovingShow(tmp_path)
    show.move()
    async with dashboard(show) as (_, pilot):
        await pilot.press("p", *"burnin ship")
        await shows(pilot, "draws: flame, ship")
    show.close()


def test_the_shipped_guide_carries_these_tables() -> None:
    words = read_words(SHIPPED_PATH)
    assert words is not None
    if not words.shown:
        pytest.skip("exported before it had them; python -m engine.training.aliases renews them")
    assert words.drawn("harbour at dawn") == ["anchor", "sunset"]
    assert words.drawn("quiet as a mouse I walk behind you") == ["mouse"] and words.things
