"""The docstrings of installed packages: what is collected, what is passed over, what is cached."""

import ast
import importlib
import importlib.metadata
import json
import shutil
import sys

import pytest

from helpers.data import Docstring, load_docstrings
from helpers.data.docstrings import FIRST_PACKAGES

waits_for_fix = pytest.mark.xfail(reason="reported defect; remove this marker with the fix")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the test's own."""
    monkeypatch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "docstrings"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a fake distribution: its name, its files by path, its version."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(name, files, version="1.0"):
        for older in site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(older)
        for path, content in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text(
            "".join(
                f"{path},,\n" for path in [*files, f"{info.name}/METADATA", f"{info.name}/RECORD"]
            )
        )
        importlib.invalidate_caches()
        return site

    yield install
    importlib.invalidate_caches()


def texts(docstrings):
    return [docstring.text for docstring in docstrings]


MIXED = '''"""What the whole module is for.

A second paragraph that is not wanted.
"""

import does_not_exist


class Harbour:
    """A place where ships
    lie in safety.

    More about it.
    """

    def enter(self):
        """Let one ship come in."""

        def inner():
            """Nested functions are not public."""

    async def leave(self):
        """Let one ship go out."""

    def _count(self):
        """Private methods are left out."""

    def __len__(self):
        """Special methods are left out too."""

    class Berth:
        """One place at the quay."""

        def moor(self):
            """Make fast to the bollards."""


def signal(lamp):
    \'\'\'Send light over the water.\'\'\'


async def listen():
    """Wait for an answering light."""


class _Hidden:
    """Private classes are left out."""

    def visible(self):
        """And so are their methods."""


def _secret():
    """Private functions are left out."""


def silent():
    pass


def terse():
    """Three words only."""
'''


def test_kinds_and_names_are_right(install):
    """Module, classes, nested classes, methods, functions and async ones; first paragraphs, each on one line."""
    install("portly", {"portly/harbours.py": MIXED})
    assert load_docstrings(["portly"]) == [
        Docstring(
            "What the whole module is for.",
            "portly",
            "portly.harbours",
            "module",
            "portly.harbours",
        ),
        Docstring(
            "A place where ships lie in safety.", "portly", "portly.harbours", "class", "Harbour"
        ),
        Docstring("Let one ship come in.", "portly", "portly.harbours", "method", "Harbour.enter"),
        Docstring("Let one ship go out.", "portly", "portly.harbours", "method", "Harbour.leave"),
        Docstring("One place at the quay.", "portly", "portly.harbours", "class", "Harbour.Berth"),
        Docstring(
            "Make fast to the bollards.",
            "portly",
            "portly.harbours",
            "method",
            "Harbour.Berth.moor",
        ),
        Docstring("Send light over the water.", "portly", "portly.harbours", "function", "signal"),
        Docstring(
            "Wait for an answering light.", "portly", "portly.harbours", "function", "listen"
        ),
    ]


def test_a_package_is_named_as_it_is_imported(install):
    """`__init__.py` is the package itself; the distribution's name may differ."""
    install(
        "Fish_Market",
        {
            "fish/__init__.py": '"""All kinds of fish."""',
            "fish/flat/__init__.py": '"""Fish that lie flat."""',
        },
    )
    found = load_docstrings(["fish-market"])
    assert [(d.package, d.module, d.name) for d in found] == [
        ("Fish_Market", "fish", "fish"),
        ("Fish_Market", "fish.flat", "fish.flat"),
    ]
    assert load_docstrings(["FISH.market"]) == found


@pytest.mark.parametrize(
    "content",
    [
        'def broken(:\n    """Has a syntax error here."""\n',
        '"""Has a nul byte here."""\n\x00',
        '"""Ist nicht in UTF-8 geschrieben: äöü."""\n'.encode("latin-1"),
        b"\xff\xfe" + '"""Is written in UTF-16 instead."""'.encode("utf-16-le"),
        '# Generated by the protocol buffer compiler. DO NOT EDIT!\n"""Not written by a person."""\n',
        '"""Automatically generated from a template."""\n',
        '"""Nested too deep for Python."""\nx = ' + "(" * 5000 + ")" * 5000,
        '"""Nested too deep for the parser."""\nx = ' + "-" * 20_000 + "1",
        "# no docstring in here at all\n",
        "",
    ],
    ids=[
        "syntax error",
        "nul byte",
        "latin-1",
        "utf-16",
        "generated by",
        "generated from",
        "deep",
        "very deep",
        "no docstring",
        "empty",
    ],
)
def test_a_file_that_cannot_be_used_is_passed_over_in_silence(install, content, capfd, recwarn):
    """The rest of the package is read, and nobody hears of it."""
    install("odd", {"odd/bad.py": content, "odd/good.py": '"""This one is fine, really."""\n'})
    assert texts(load_docstrings(["odd"])) == ["This one is fine, really."]
    assert capfd.readouterr() == ("", "")
    assert [str(warning.message) for warning in recwarn] == []


def test_a_file_listed_but_missing_is_passed_over(install):
    """Somebody deleted it; a folder in its place is no better."""
    site = install(
        "holes",
        {
            "holes/a.py": '"""This one is gone soon."""\n',
            "holes/b.py": '"""This one will be kept."""\n',
        },
    )
    (site / "holes" / "a.py").unlink()
    assert texts(load_docstrings(["holes"])) == ["This one will be kept."]
    (site / "holes" / "a.py").mkdir()
    assert texts(load_docstrings(["holes"], refresh=True)) == ["This one will be kept."]


LOUD = '''"""A module that makes itself heard."""
import sys, warnings
print("hello from the module")
print("and on stderr", file=sys.stderr)
warnings.warn("a warning at import")
open("left_behind.txt", "w")
pattern = "\\d+ \\w \\."
raise RuntimeError("importing me fails")
'''


def test_nothing_is_imported_printed_or_warned(install, capfd, recwarn, tmp_path, monkeypatch):
    """Modules that raise, print, write and warn on import, and invalid escapes, are read and not run."""
    monkeypatch.chdir(tmp_path)
    install(
        "loud",
        {
            "loud/__init__.py": LOUD,
            "loud/sub.py": LOUD.replace("makes itself", "also makes itself"),
        },
    )
    install("warm-up", {"warmup/a.py": '"""So that lazy imports are done."""\n'})
    load_docstrings(["warm-up"])
    before = set(sys.modules)
    found = load_docstrings(["loud"])
    assert texts(found) == [
        "A module that makes itself heard.",
        "A module that also makes itself heard.",
    ]
    assert set(sys.modules) == before
    assert capfd.readouterr() == ("", "")
    assert [str(warning.message) for warning in recwarn] == []
    assert not (tmp_path / "left_behind.txt").exists()


def test_the_fake_modules_would_have_been_loud(install, capfd):
    """The test above would notice: importing such a module prints and raises, and compiling it warns."""
    install("loudest", {"loudest/__init__.py": LOUD.replace('open("left_behind.txt", "w")\n', "")})
    with (
        pytest.warns(Warning, match=r"invalid escape|a warning"),
        pytest.raises(RuntimeError, match="importing me fails"),
    ):
        importlib.import_module("loudest")
    assert "hello from the module" in capfd.readouterr().out


def test_tests_vendored_copies_and_scripts_are_left_out(install):
    """Only what users import from."""
    kept = {
        "kit/core.py": '"""The heart of the kit."""\n',
        "kit/contest.py": '"""No test, only sounds so."""\n',
    }
    left_out = [
        "kit/tests/helpers.py",
        "kit/test/deep/helpers.py",
        "kit/testing/tools.py",
        "kit/_vendor/six/moves.py",
        "kit/extern/thing.py",
        "kit/examples/demo.py",
        "kit/benchmarks/speed.py",
        "kit/test_core.py",
        "kit/conftest.py",
        "kit/setup.py",
        "kit/not-a-module.py",
        "kit/data.txt",
        "kit/fast.pyi",
        "../../bin/kit.py",
    ]
    install(
        "kit",
        kept
        | {path: f'"""Should be left out: {number}."""\n' for number, path in enumerate(left_out)},
    )
    assert texts(load_docstrings(["kit"])) == ["No test, only sounds so.", "The heart of the kit."]


def test_each_text_comes_once_whatever_its_case_and_spacing(install):
    """Within a package and across packages; the first one stays."""
    install(
        "one",
        {
            "one/a.py": '"""Sort the fish by size."""\n\n\ndef f():\n    """Sort the  FISH\n    by size."""\n'
        },
    )
    install(
        "two",
        {
            "two/a.py": '"""sort the fish by size."""\n',
            "two/b.py": '"""Weigh the fish by hand."""\n',
        },
    )
    found = load_docstrings(["one", "two"])
    assert [(d.text, d.package) for d in found] == [
        ("Sort the fish by size.", "one"),
        ("Weigh the fish by hand.", "two"),
    ]
    assert [d.package for d in load_docstrings(["two", "one"])] == ["two", "two"]


def test_a_docstring_shorter_than_four_words_is_left_out(install):
    """It says too little to be found by meaning."""
    install(
        "brief",
        {
            "brief/a.py": '"""One two three."""\n',
            "brief/b.py": '"""One two three four."""\n',
            "brief/c.py": '"""  """\n',
        },
    )
    assert texts(load_docstrings(["brief"])) == ["One two three four."]


def test_any_characters_come_back_from_the_cache_as_they_were(install):
    """Emoji, right-to-left text, quotes and separators that some call line ends."""
    text = 'Ships 🚢 מעבורת 日本 "quoted" and \u00e9\u2028 more.'
    install("signs", {"signs/a.py": f"'''{text}'''\n"})
    first = load_docstrings(["signs"])
    assert texts(first) == [" ".join(text.split())]
    assert load_docstrings(["signs"]) == first


@waits_for_fix
def test_a_lone_surrogate_in_a_docstring_does_no_harm(install):
    """Legal in a source file, impossible in UTF-8: one such docstring anywhere must not end the whole reading."""
    install(
        "lone",
        {
            "lone/a.py": '"""Escapes such as \\ud800 stand alone."""\n',
            "lone/b.py": '"""This one is fine, really."""\n',
        },
    )
    assert "This one is fine, really." in texts(load_docstrings(["lone"]))
    assert "This one is fine, really." in texts(load_docstrings(["lone"]))


def test_a_distribution_without_files_or_metadata_does_no_harm(install, recwarn):
    """What a broken uninstall leaves behind."""
    site = install("whole", {"whole/a.py": '"""This one is fine, really."""\n'})
    (site / "~hole-1.0.dist-info").mkdir()
    (site / "norecord-1.0.dist-info").mkdir()
    (site / "norecord-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: norecord\nVersion: 1.0\n"
    )
    importlib.invalidate_caches()
    assert texts(load_docstrings(["whole", "norecord"])) == ["This one is fine, really."]
    assert [str(warning.message) for warning in recwarn] == []


# Arguments


def test_packages_come_in_the_order_asked_for(install):
    """Not in the order of their names; nothing asked for gives nothing."""
    for name in ("alpha", "beta"):
        install(name, {f"{name}/a.py": f'"""This is the package {name}."""\n'})
    assert [d.package for d in load_docstrings(["beta", "alpha"])] == ["beta", "alpha"]
    assert [d.package for d in load_docstrings(name for name in ("alpha", "beta"))] == [
        "alpha",
        "beta",
    ]
    assert load_docstrings([]) == []


def test_without_a_choice_packages_come_by_name_after_those_of_the_course(install, monkeypatch):
    """Whatever the order in which the system lists them."""
    names = ["aaa-d", "aaa-b", "aaa-e", "aaa-a", "aaa-c", "zzz-first"]
    for name in names:
        install(name, {f"{name.replace('-', '_')}/a.py": f'"""This is the package {name}."""\n'})
    monkeypatch.setattr("helpers.data.docstrings.FIRST_PACKAGES", ("not-installed", "zzz-first"))
    found = [d.package for d in load_docstrings(limit=6)]
    assert found == ["zzz-first", "aaa-a", "aaa-b", "aaa-c", "aaa-d", "aaa-e"]


def test_the_course_itself_is_no_part_of_the_corpus(install):
    """It would change with every edit."""
    install("search-by-meaning", {"sbm/a.py": '"""Texts of the course itself."""\n'})
    with pytest.raises(ValueError, match="not installed here: search-by-meaning"):
        load_docstrings(["search-by-meaning"])


def test_the_limit_is_honoured(install):
    """The first ones, up to all, each limit with a cache of its own."""
    body = "".join(f'def f{n}():\n    """This is function number {n}."""\n' for n in range(10))
    install("many", {"many/a.py": body})
    everything = load_docstrings(["many"], limit=None)
    assert len(everything) == 10
    for limit in (1, 4, 10, 11):
        assert load_docstrings(["many"], limit=limit) == everything[:limit]
        assert load_docstrings(["many"], limit=limit) == everything[:limit]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit):
    """The message repeats it."""
    with pytest.raises(ValueError, match=f"limit={limit}"):
        load_docstrings(["numpy"], limit=limit)


def test_a_string_in_place_of_a_list_is_refused():
    """The message shows the list."""
    with pytest.raises(ValueError, match=r"is a string; give a list of names: \['numpy'\]"):
        load_docstrings("numpy")


def test_packages_that_are_not_installed_are_named(install):
    """All of them, and only them."""
    install("there", {"there/a.py": '"""This one is fine, really."""\n'})
    with pytest.raises(ValueError, match="not installed here: not-there, nor-this"):
        load_docstrings(["not_there", "there", "nor.this"])


@pytest.mark.parametrize("packages", [5, [5], [None]])
def test_packages_of_a_wrong_type_are_refused(packages):
    """Never in silence."""
    with pytest.raises(TypeError):
        load_docstrings(packages)


# Cache


def fail_to_parse(*arguments, **settings):
    raise AssertionError("a source was parsed")


def test_the_second_call_reads_the_cache(install, cache, monkeypatch):
    """No source is parsed; `refresh` parses again."""
    install("kept", {"kept/a.py": '"""This one is fine, really."""\n'})
    first = load_docstrings(["kept"])
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr(ast, "parse", fail_to_parse)
    assert load_docstrings(["kept"]) == first
    with pytest.raises(AssertionError, match="parsed"):
        load_docstrings(["kept"], refresh=True)
    assert load_docstrings(["kept"]) == first, "a reading that failed damaged the cache"
    assert len(list(cache.iterdir())) == 1


def test_a_changed_version_is_read_again(install):
    """And a changed file of the same version is not, unless asked for."""
    install("news", {"news/a.py": '"""This is the old text."""\n'}, version="1.0")
    assert texts(load_docstrings(["news"])) == ["This is the old text."]
    install("news", {"news/a.py": '"""This is the new text."""\n'}, version="1.0")
    assert texts(load_docstrings(["news"])) == ["This is the old text."]
    assert texts(load_docstrings(["news"], refresh=True)) == ["This is the new text."]
    install("news", {"news/a.py": '"""This is the newest text."""\n'}, version="1.1")
    assert texts(load_docstrings(["news"])) == ["This is the newest text."]


@pytest.mark.parametrize(
    "torn",
    [
        lambda content: content[:-20],
        lambda content: b"\xff\xfe",
        lambda content: b"[1, 2]\n",
        lambda content: b'{"text": "only"}\n',
    ],
    ids=["cut off", "not UTF-8", "other JSON", "fields missing"],
)
def test_a_torn_cache_file_is_read_again_and_mended(install, cache, torn, monkeypatch):
    """No error, the right result, and a whole file for the next call."""
    install(
        "torn",
        {
            "torn/a.py": '"""This one is fine, really."""\n',
            "torn/b.py": '"""This one is fine, too."""\n',
        },
    )
    first = load_docstrings(["torn"])
    (file,) = cache.iterdir()
    file.write_bytes(torn(file.read_bytes()))
    assert load_docstrings(["torn"]) == first
    monkeypatch.setattr(ast, "parse", fail_to_parse)
    assert load_docstrings(["torn"]) == first


def test_the_cache_is_readable_json_lines(install, cache):
    """One record a line, with the record's fields."""
    install("plain", {"plain/a.py": '"""This one is fine, really."""\n'})
    load_docstrings(["plain"])
    (file,) = cache.iterdir()
    (line,) = file.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "text": "This one is fine, really.",
        "package": "plain",
        "module": "plain.a",
        "kind": "module",
        "name": "plain.a",
    }


def test_a_record_cannot_be_changed():
    """Records are immutable."""
    with pytest.raises(AttributeError):
        Docstring("a", "b", "c", "module", "d").text = "other"


# This machine


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The docstrings of this machine, read anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEARCH_BY_MEANING_CACHE", str(tmp_path_factory.mktemp("cache")))
        return load_docstrings()


def test_this_machine_has_enough_docstrings_and_all_are_distinct(here):
    """7,000 at least, 10,000 at most, no text twice."""
    assert 7_000 <= len(here) <= 10_000
    assert len({docstring.text.casefold() for docstring in here}) == len(here)


def test_this_machines_docstrings_are_whole_records(here):
    """Text on one line, known kinds, public names, none of the course's own."""
    kinds = {"module", "class", "function", "method"}
    assert {docstring.kind for docstring in here} == kinds
    for docstring in here:
        assert len(docstring.text.split()) >= 4
        assert docstring.text == " ".join(docstring.text.split())
        assert not docstring.name.split(".")[-1].startswith("_") or docstring.kind == "module"
        assert (docstring.kind == "module") == (docstring.name == docstring.module)
        assert docstring.package != "search-by-meaning"


def test_the_libraries_of_the_course_come_first(here):
    """NumPy is read before all others."""
    packages = list(dict.fromkeys(docstring.package for docstring in here))
    installed = {
        distribution.metadata["Name"].lower() for distribution in importlib.metadata.distributions()
    }
    wanted = [name for name in FIRST_PACKAGES if name in installed]
    assert wanted[0] == "numpy"
    assert packages[:5] == wanted[:5]


def test_this_machines_docstrings_are_the_same_at_every_reading_and_limit(here):
    """A limited reading, with a cache of its own, is the beginning of the full one."""
    assert load_docstrings(limit=1500) == here[:1500]
