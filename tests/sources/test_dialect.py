from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest
import sklearn.datasets
from hypothesis import given, settings
from hypothesis import strategies as st

from datalint.sources.tables.dialect import Dialect, NeedMoreBytes, NotATable, ragged, sniff, squeeze

RNG = random.Random(1)
SHIPPED = Path(sklearn.datasets.__file__).parent / "data"


def look(text: str | bytes, name: str = "a.csv", *, complete: bool = True) -> Dialect:
    return sniff(text.encode() if isinstance(text, str) else text, path_name=name, complete=complete)


def rows(count: int, width: int, sep: str = ",") -> str:
    return "".join(sep.join(f"{RNG.gauss(0, 3):.3f}" for _ in range(width)) + "\n" for _ in range(count))


@pytest.mark.parametrize("sep", [",", "\t", ";", "|"])
def test_delimiter_is_the_one_with_a_steady_field_count(sep: str) -> None:
    quoted = [f'{i}{sep}"Smith{sep} {i}, the ""great"""{sep}{i}.5' for i in range(20)]
    found = look("\n".join([f"id{sep}name{sep}value", *quoted]))
    assert (found.delimiter, found.quote, found.header, found.names) == (sep, '"', True, ("id", "name", "value"))
    assert (found.skip_rows, found.data_start, found.problems) == (0, 1, ())


@given(
    st.sampled_from([",", "\t", ";", "|"]),
    st.lists(
        st.tuples(
            st.integers(), st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), st.floats(0, 1)
        ),
        min_size=3,
        max_size=30,
    ),
)
@settings(max_examples=100, deadline=None)
def test_what_the_csv_module_writes_is_read_with_its_names(sep: str, cells: list[tuple[int, str, float]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=sep)
    writer.writerow(["number", "words", "share"])
    writer.writerows(cells)
    found = look(out.getvalue())
    assert (found.delimiter, found.names) == (sep, ("number", "words", "share"))
    assert ragged(out.getvalue().encode(), found) == []


@given(st.binary(max_size=400), st.booleans(), st.sampled_from(["a.csv", "b.txt", "c.data", "d.tsv.gz"]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_table_or_said_to_be_none(head: bytes, complete: bool, name: str) -> None:
    try:
        found = sniff(head, path_name=name, complete=complete)
    except NotATable as reason:
        assert str(reason)
    else:
        assert found.names
        assert all(found.names)
        assert len(set(found.names)) == len(found.names)
        ragged(head, found)


@pytest.mark.parametrize(
    "text",
    [
        rows(50, 4),
        "".join(f"{i % 7},{RNG.random():.2f},{'gh'[i % 2]}\n" for i in range(60)),
        "".join(f"hypo,{i},M,f,t,?,{'n' if i % 9 else '?'}\n" for i in range(40)),
        "".join(",".join(RNG.choice("abcx?") for _ in range(10)) + ",yes\n" for _ in range(60)),  # all text
        "".join("0,0,0," + ",".join(str(RNG.randrange(256)) for _ in range(60)) + f",{i // 6}\n" for i in range(60)),
        "1\n2\n2\n3\n",
        "usual,proper,complete,1\n" * 3 + "great,proper,foster,2\n" * 30,
    ],
)
def test_tables_without_a_header(text: str) -> None:
    found = look(text)
    assert not found.header
    assert found.names[0] == "column_1"
    assert (found.skip_rows, found.data_start) == (0, 0)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("x1,x2\n" + rows(30, 2), "x1"),
        ("country,2001,2002,2003\n" + "".join(f"c{i},{RNG.random()},{i},7\n" for i in range(30)), "country"),
        ("0,1,2,3,4\n" + rows(30, 5), "0"),
        (",0,1,2,3\n" + "".join(f"{i},{line}\n" for i, line in enumerate(rows(30, 4).split())), "Unnamed: 0"),
        ("400.5,401.0,401.5,402.0,402.5,403.0\n" + rows(30, 6), "400.5"),
        (
            "label,text\n" + "".join(f"{'spam' if i % 3 else 'ham'},message number {i * i} here\n" for i in range(30)),
            "label",
        ),
        ("animal,colour\n" + "cat,black\ndog,brown\n" * 10, "animal"),
        ("name\nalice\nbob\ncarol\n", "name"),
        ("date,open\n" + "".join(f"2020-01-{i:02d},{i}.5\n" for i in range(1, 29)), "date"),
        ("id,name,species\n", "id"),  # nothing but a header
    ],
)
def test_tables_with_a_header(text: str, first: str) -> None:
    found = look(text)
    assert found.header
    assert found.names[0] == first
    assert found.data_start == 1


def test_names_are_unique_and_never_empty() -> None:
    found = look(" a , a ,,a.1,a\n" + rows(20, 5))
    assert found.names == ("a", "a.2", "Unnamed: 2", "a.1", "a.3")
    assert "duplicate header names: a" in found.problems
    assert "spaces around header names" in found.problems
    assert "saved row index: the first header cell is empty" in look(",v\n0,1.5\n1,2.5\n2,0.1\n3,2.2\n").problems


def test_encodings() -> None:
    text = "naïve,größe\n" + "é,1.5\nü,2.5\n" * 10
    assert look(text).encoding == "utf-8"
    assert look(text.encode("cp1252")).encoding == "cp1252"
    assert look(text.encode("cp1252")).names == ("naïve", "größe")
    marked = look(text.encode("utf-8-sig"))
    assert (marked.encoding, marked.names[0], marked.problems) == ("utf-8-sig", "naïve", ("byte-order mark",))
    wide = look(text.encode("utf-16"))
    assert (wide.encoding, wide.names) == ("utf-16", ("naïve", "größe"))
    assert look(b"\x81\x8d,b\n" + b"1,2\n" * 9).encoding == "latin-1"
    cut = text.encode()[: -len("ü,2.5\n".encode()) + 1]  # in the middle of a character
    assert look(cut, complete=False).encoding == "utf-8"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"", "empty file"),
        (b" \n\n", "empty file"),
        (b"\x00" * 500, "zero bytes"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            "Git LFS pointer to 12,345 bytes",
        ),
        (b"version https://hawser.github.com/spec/v1\noid sha256:4d7a\nsize 9\n", "Git LFS pointer"),
        (b"\x1f\x8b\x08\x00abc", "gzip"),
        (random.Random(0).randbytes(3000), "binary content"),
        (b"<!DOCTYPE html>\n<html><body>a,b</body></html>\n", "HTML page"),
        (b'<?xml version="1.0"?>\n<a x="1,2"/>\n', "markup"),
        (b'{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', "JSON lines"),
        (b'[{"a": 1, "b": 2},\n {"a": 3, "b": 4}]\n', "JSON"),
        (b"This file is not here any more, ask Bob for it.\n", "one line of text"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16 without"),
    ],
)
def test_what_is_no_table_is_named(head: bytes, what: str) -> None:
    with pytest.raises(NotATable, match=what):
        look(head)


@pytest.mark.parametrize(
    "text",
    [
        "apple\nbanana\ncherry\n",
        "Read me.\n\nThis holds the data, and more.\nSee below.\n",
        "a, b\nc, d\n",
        "one two\nthree four\n",
    ],
)
def test_prose_is_no_table_unless_it_calls_itself_one(text: str) -> None:
    with pytest.raises(NotATable):
        look(text, "notes.txt")


def test_one_column_needs_a_table_suffix() -> None:
    assert look("1.5\n2.5\n0.5\n", "y.csv.gz").names == ("column_1",)
    assert look("target\n2.5\n0.5\n", "y.tsv").names == ("target",)
    with pytest.raises(NotATable):
        look("1.5\n2.5\n", "y.txt")


def test_single_blanks_are_a_delimiter() -> None:
    found = look(rows(30, 4, " "), "sat.trn")
    assert (found.delimiter, found.collapse, len(found.names), found.header) == (" ", False, 4, False)


@pytest.mark.parametrize(
    "text", [" 1.5  2   a\n 10.5 3  b\n" * 9, "1 2 a \n1 3 b \n" * 9, "1.5\t\t2\ta\n2.5\t2 b\n" * 9]
)
def test_runs_of_blanks_are_reported_and_squeezed(text: str) -> None:
    found = look(text, "housing.data")
    assert (found.delimiter, found.collapse, len(found.names)) == (" ", True, 3)
    assert any("blanks" in problem for problem in found.problems)
    assert {line.count(b" ") for line in squeeze(text.encode()).splitlines()} == {2}


def test_numbers_in_blanks_before_a_tab() -> None:
    text = "".join(f'{i}.0   8   307.0  130.{i}\t"car name {i}"\n' for i in range(20))
    assert len(look(text, "auto-mpg.data").names) == 5


def test_decimal_comma() -> None:
    found = look("".join(f"{i},5;{i},25;x\n" for i in range(20)))
    assert (found.delimiter, found.decimal, len(found.names)) == (";", ",", 3)
    assert "decimal comma" in found.problems
    assert look("a;b\n" + "".join(f"1,{100 + i};2\n" for i in range(20))).decimal == "."  # thousands


def test_spaces_after_the_delimiter() -> None:
    found = look("".join(f'{i}, {i}.5, "a, b"\n' for i in range(20)))
    assert (found.skip_initial_space, len(found.names)) == (True, 3)
    assert not look('a,b\n1," x"\n2,y\n3,z\n').skip_initial_space


def test_quotes() -> None:
    assert look("a,b\n'x, y',1\n'z, w',2\n'v, u',3\n").quote == "'"
    inches = look("size\tprice\n" + '"3 inch\t1.5\n5" disk\t2.5\n' * 10, "a.tsv")
    assert (inches.quote, inches.delimiter) == ("", "\t")
    spanning = look('a,b\n"x\ny",1\nz,2\n"u\nv",3\n')
    assert (spanning.newlines_in_values, spanning.data_start) == (True, 1)
    assert look('"a\nb",c\n1,2\n3,4\n').data_start == 2


def test_ragged_rows_are_located() -> None:
    text = "a,b\n" + "1,2\n" * 10 + "1,2,3\n1\n" + "3,4\n" * 10
    found = look(text)
    assert found.names == ("a", "b")
    assert ragged(text.encode(), found) == [(12, 3), (13, 1)]
    assert "ragged rows: 2 of the first 22 do not have 2 fields" in found.problems


def test_keel_and_arff_heads() -> None:
    keel = (
        "@relation iris\n@attribute SepalLength real [4.3, 7.9]\n@attribute Class{a,b}\n@inputs SepalLength\n"
        "@output Class\n@data\n" + "5.1, a\n4.9, b\n" * 5
    )
    found = look(keel, "iris.dat")
    assert (found.names, found.declared_label, found.header) == (("SepalLength", "Class"), "Class", False)
    assert (found.skip_rows, found.data_start) == (6, 6)
    arff = "% comment\n@RELATION r\n\n@ATTRIBUTE 'my name' NUMERIC\n@ATTRIBUTE b {x,y}\n\n@DATA\n1,x\n2,y\n3,x\n"
    assert look(arff, "r.arff").names == ("my name", "b")
    assert look(arff.partition("1,x")[0], "r.arff").names == ("my name", "b")


def test_lines_above_the_table() -> None:
    found = look("Source: office\nfetched today\n\nyear,rate\n" + "1999,2.5\n2000,2.25\n2002,1.5\n" * 4)
    assert (found.names, found.skip_rows, found.data_start) == (("year", "rate"), 3, 4)
    saved = look("# x y z\n" + rows(20, 3, " "), "saved.txt")
    assert (saved.names, saved.data_start) == (("x", "y", "z"), 1)
    excel = look("sep=;\na;b\n1;2\n3;4\n")
    assert (excel.delimiter, excel.names, excel.data_start) == (";", ("a", "b"), 2)
    r_table = look('"speed" "dist"\n' + "".join(f'"r{i}" {i} {i * i}\n' for i in range(20)), "cars.txt")
    assert (r_table.names, r_table.delimiter) == (("Unnamed: 0", "speed", "dist"), " ")


@pytest.mark.parametrize(("name", "width"), [("iris.csv", 5), ("wine_data.csv", 14), ("breast_cancer.csv", 31)])
def test_a_line_of_counts_is_no_header(name: str, width: int) -> None:
    head = (SHIPPED / name).read_bytes()
    found = sniff(head, path_name=name, complete=True)
    assert (len(found.names), found.header, found.data_start) == (width, False, 1)


def test_other_oddities() -> None:
    assert "every line ends with a delimiter" in look("1.5,2,\n2.5,3,\n0.5,4,\n" * 3).problems
    assert "the header is repeated among the rows" in look("a,b\n1,2\n3,4\na,b\n5,6\n7,8\n9,1\n").problems


def test_very_wide_lines_ask_for_more() -> None:
    width = 50_000
    text = ",".join(f"f{i}" for i in range(width)) + "\n" + (",".join(["1"] * width) + "\n") * 4
    with pytest.raises(NeedMoreBytes):
        look(text[:262_144], complete=False)
    found = look(text)
    assert (len(found.names), found.header) == (width, True)


def test_a_few_open_quotes_make_no_plain_text_of_the_others() -> None:
    lines = ["text,label", *(f'"word{k}, and more",{k % 2}' for k in range(200))]
    for k in (50, 120):
        lines[k] = f'"word{k} and more,0'
    found = sniff("\n".join(lines).encode(), path_name="a.csv", complete=True)
    assert (found.quote, found.names) == ('"', ("text", "label"))
    # An inch is no quote.
    inches = ["size,price", *(f'{k % 9}" disk,{k}' for k in range(200))]
    assert sniff("\n".join(inches).encode(), path_name="a.csv", complete=True).names == ("size", "price")
