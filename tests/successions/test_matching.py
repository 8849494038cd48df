"""Every fate, with the code that brings it about."""

from __future__ import annotations

from tests.successions.matches import became, matches

FIND = """
int find_widget(struct widget *w, int which)
{
    struct widget *next = w->next;
    if (which > WIDGETS)
        return -EINVAL;
    while (next && next->number != which)
        next = next->next;
    if (!suser())
        return -EPERM;
    w->found = next;
    count_widget(w, which);
    return next ? 0 : -ENOENT;
}
"""
IOCTL = """
static int widget_ioctl(struct widget *w, int cmd, long arg)
{
    switch (cmd) {
    case WIDGET_RESET:
        if (!suser())
            return -EPERM;
        reset_widget(w);
        return 0;
    case WIDGET_SPEED:
        if (!suser())
            return -EPERM;
        w->speed = arg;
        return 0;
    case WIDGET_NAME:
        return name_of(w, arg);
    }
    return -EINVAL;
}
"""
CAPABLE = "capable(CAP_WIDGET)"


def test_a_check_that_stands_where_it_stood_is_the_same() -> None:
    later = FIND.replace("w->found = next;", "w->found = next;\n    w->uses++;")
    assert became({"w.c": FIND}, {"w.c": "int other;\n" + later}) == [
        ("find_widget suser", "same", "find_widget suser")
    ]


def test_another_check_in_its_place_replaces_it() -> None:
    assert became({"w.c": FIND}, {"w.c": FIND.replace("suser()", CAPABLE)}) == [
        ("find_widget suser", "replaced", "find_widget CAP_WIDGET")
    ]


def test_a_uid_compared_with_0_is_replaced_by_a_capability() -> None:
    old = FIND.replace("!suser()", "!(current->euid == 0)")
    assert became({"w.c": old}, {"w.c": FIND.replace("suser()", CAPABLE)}) == [
        ("find_widget uid0", "replaced", "find_widget CAP_WIDGET")
    ]


def test_like_checks_are_told_apart_by_the_case_they_stand_in() -> None:
    later = IOCTL.replace(
        "if (!suser())\n            return -EPERM;\n        reset", "reset"
    ).replace("suser()", CAPABLE)
    assert became({"w.c": IOCTL}, {"w.c": later}) == [
        ("widget_ioctl suser", "removed", ""),
        ("widget_ioctl suser", "replaced", "widget_ioctl CAP_WIDGET"),
    ]


def test_no_check_goes_over_to_a_case_that_asked_nothing_before() -> None:
    parts = IOCTL.split("case WIDGET_NAME:")
    later = (
        parts[0].replace("if (!suser())\n            return -EPERM;\n", "")
        + "case WIDGET_NAME:\n        if (!suser())\n            return -EPERM;\n"
        + parts[1]
    )
    assert became({"w.c": IOCTL}, {"w.c": later}) == [
        ("", "new", "widget_ioctl suser"),
        ("widget_ioctl suser", "removed", ""),
        ("widget_ioctl suser", "removed", ""),
    ]


def test_one_condition_that_becomes_two_is_split() -> None:
    later = FIND.replace("!suser()", "!capable(CAP_A) || !capable(CAP_B)")
    assert became({"w.c": FIND}, {"w.c": later}) == [
        ("find_widget suser", "split", "find_widget CAP_A"),
        ("find_widget suser", "split", "find_widget CAP_B"),
    ]


def test_two_like_statements_for_one_are_a_split() -> None:
    one = "if (!suser())\n        return -EPERM;\n"
    two = one.replace("suser()", "capable(CAP_A)") + one.replace("suser()", "capable(CAP_B)")
    assert became({"w.c": FIND}, {"w.c": FIND.replace(one, two)}) == [
        ("find_widget suser", "split", "find_widget CAP_A"),
        ("find_widget suser", "split", "find_widget CAP_B"),
    ]


def test_a_check_before_everything_that_goes_into_the_cases_is_split() -> None:
    check = "if (!suser())\n            return -EPERM;\n        "
    old = IOCTL.replace(check, "").replace(
        "switch (cmd) {", "if (!suser())\n        return -EPERM;\n    switch (cmd) {"
    )
    found = became({"w.c": old}, {"w.c": IOCTL.replace("suser()", CAPABLE)})
    assert found == [("widget_ioctl suser", "split", "widget_ioctl CAP_WIDGET")] * 2


def test_checks_in_the_cases_that_become_one_before_them_are_merged() -> None:
    check = "if (!suser())\n            return -EPERM;\n        "
    later = IOCTL.replace(check, "").replace(
        "switch (cmd) {", "if (!capable(CAP_WIDGET))\n        return -EPERM;\n    switch (cmd) {"
    )
    found = became({"w.c": IOCTL}, {"w.c": later})
    assert found == [("widget_ioctl suser", "merged", "widget_ioctl CAP_WIDGET")] * 2


def test_an_if_within_an_if_is_the_same_as_one_condition() -> None:
    old = FIND.replace("if (!suser())", "if (w->count > MOST_WIDGETS)\n    if (!suser())")
    later = FIND.replace("if (!suser())", f"if (w->count > MOST_WIDGETS && !{CAPABLE})")
    assert became({"w.c": old}, {"w.c": later}) == [
        ("find_widget suser", "replaced", "find_widget CAP_WIDGET")
    ]


def test_a_check_goes_with_its_function_to_another_file() -> None:
    assert became({"a/w.c": FIND}, {"b/widgets.c": FIND}) == [
        ("find_widget suser", "moved", "find_widget suser")
    ]


def test_a_check_stays_with_its_function_under_another_name() -> None:
    later = FIND.replace("find_widget", "look_for_widget")
    assert became({"w.c": FIND}, {"w.c": later}) == [
        ("find_widget suser", "moved", "look_for_widget suser")
    ]


def test_moved_and_replaced_counts_as_replaced() -> None:
    later = FIND.replace("find_widget", "look_for_widget").replace("suser()", CAPABLE)
    assert became({"w.c": FIND}, {"w.c": later}) == [
        ("find_widget suser", "replaced", "look_for_widget CAP_WIDGET")
    ]


def test_a_check_goes_into_a_function_that_is_called_in_its_place() -> None:
    later = FIND.replace("!suser()", "!may_find(w)") + (
        "int may_find(struct widget *w)\n{\n    return w->open || suser();\n}\n"
    )
    assert became({"w.c": FIND}, {"w.c": later}) == [
        ("find_widget suser", "moved", "may_find suser")
    ]
    (found,) = matches({"w.c": FIND}, {"w.c": later})
    assert found.found == "callee"


def test_a_function_of_that_name_in_another_file_is_not_called() -> None:
    later = FIND.replace("!suser()", "!may_find(w)")
    other = "static int may_find(int w)\n{\n    return suser();\n}\n"
    assert became({"w.c": FIND}, {"w.c": later, "x.c": other}) == [
        ("", "new", "may_find suser"),
        ("find_widget suser", "removed", ""),
    ]


def test_a_check_is_removed_where_its_function_lives() -> None:
    later = FIND.replace("if (!suser())\n        return -EPERM;\n", "")
    (found,) = matches({"w.c": FIND}, {"w.c": later})
    assert (found.fate, found.lives) == ("removed", ("w.c", "find_widget"))


def test_a_check_is_gone_with_its_function_or_its_file() -> None:
    assert became({"w.c": FIND}, {"w.c": "int other;\n"}) == [("find_widget suser", "gone", "")]
    assert became({"w.c": FIND}, {}) == [("find_widget suser", "gone", "")]


def test_a_driver_made_after_another_one_is_new() -> None:
    copy = FIND.replace("widget", "gadget")
    assert became({"w.c": FIND}, {"w.c": FIND, "g.c": copy}) == [
        ("", "new", "find_gadget suser"),
        ("find_widget suser", "same", "find_widget suser"),
    ]


def test_what_little_code_has_in_common_proves_nothing() -> None:
    old = "int one(int a)\n{\n    if (!suser())\n        return -EPERM;\n    return open(a);\n}\n"
    new = "int two(int b)\n{\n    if (!suser())\n        return -EPERM;\n    return shut(b);\n}\n"
    assert became({"a.c": old}, {"b.c": new}) == [
        ("", "new", "two suser"),
        ("one suser", "gone", ""),
    ]


def test_a_pair_is_uncertain_where_another_one_is_as_likely() -> None:
    twice = FIND.replace(
        "    w->found = next;\n",
        "    w->found = next;\n    if (!suser())\n        return -EPERM;\n",
    )
    old, new = {"w.c": twice}, {"w.c": FIND.replace("suser()", CAPABLE)}
    assert not all(one.certain for one in matches(old, new))
    assert all(one.certain for one in matches({"w.c": FIND}, new))
