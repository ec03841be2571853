"""Parts of pages: they fit into one name space, and whatever is read from data stays data."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slicewright.drawing import web

_TOP = re.compile(r"^(?:export )?(?:async )?(?:const|let|function\*?|class) (\w+)", re.MULTILINE)


PAGES = ("network-page.js", "film.js")


@pytest.mark.parametrize("page", PAGES)
def test_scripts_of_a_page_share_one_name_space(page: str) -> None:
    modules = web.modules_of(page)
    names = [name for text in (web.settings_script(), *map(web.part, modules)) for name in _TOP.findall(text)]
    assert len(names) == len(set(names)), {n for n in names if names.count(n) > 1}


@pytest.mark.parametrize("page", PAGES)
def test_scripts_come_after_what_they_import(page: str) -> None:
    modules = web.modules_of(page)
    assert modules[-1] == page
    assert "network-map.js" in modules
    for k, name in enumerate(modules):
        wanted = re.findall(r'from "\./([\w-]+\.js)"', web.part(name))
        assert set(wanted) <= {"settings.js", *modules[:k]}, name
        assert web.part(name).count("\nimport {\n") == 0, "imports are one line each"


def test_no_part_makes_markup_or_code_of_data() -> None:
    for name in web.part_names():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", web.part(name)
        ), name


@given(st.text())
def test_embedded_text_is_read_back_and_never_ends_its_element(text: str) -> None:
    made = web.embedded({"name": text, text: 1})
    assert not set("<>&") & set(made)
    assert json.loads(made)["name"] == text


def test_numbers_that_are_not_finite_are_refused_in_data_and_kept_in_columns() -> None:
    with pytest.raises(ValueError, match="JSON"):
        web.embedded({"cost": float("nan")})
    assert web.column([1.0, np.nan])["type"] == "f4"
    assert [web.column([top], "index")["type"] for top in (100, 1000, 100_000)] == ["i1", "i2", "i4"]
    assert "span" not in web.steps(np.full(3, 2.0))
