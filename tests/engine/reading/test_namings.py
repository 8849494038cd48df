"""The labels that stand beside functions and objects: strings and named constants."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts

Named = tuple[str, tuple[str, ...], tuple[str, ...]]


def namings(text: str) -> list[Named]:
    return [(each.holder, each.labels, each.sources) for each in facts(text).namings]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (
            'struct miscdevice m = { MY_MINOR, "nvram", &ops };',
            [(":m", ("#0=MY_MINOR", '#1="nvram"'), (":ops",))],
        ),
        (
            'struct attr a = { .attr = { .name = "x", .mode = 0 }, .show = f };',
            [(":a", ('attr>name="x"',), (":f",))],
        ),
        (
            "struct link t[] = { [RTM_A - RTM_BASE] = { f, g }, [_IOC_NR(MY_SET)] = h };",
            [(":t", ("[]=RTM_A",), (":f", ":g")), (":t", ("[]=MY_SET",), (":h",))],
        ),
        (
            "struct link t[RTM_MAX-RTM_BASE+1] = { { 0, 0 }, { f, 0 } };",
            [(":t", ("[#]=RTM_BASE+1",), (":f",))],
        ),
        (
            'struct entry t[] = { REG("mem", 0600, mem_ops), { "a", f }, { "b", g } };',
            [
                (":t", ('(0)="mem"',), (":mem_ops",)),
                (":t", ('#0="a"',), (":f",)),
                (":t", ('#0="b"',), (":g",)),
            ],
        ),
        ("struct attr a = __ATTR(power, 0, f);", [(":a", ('(0)="power"',), (":power", ":f"))]),
        # Nothing stands beside a name, or nothing beside a label.
        ("struct ops o = { .owner = THIS_MODULE, .open = f };", []),
        ('struct ops o = { .name = "x", .kind = KIND };', []),
        ('struct ops o = { .text = "more words than a name", .open = f };', []),
    ],
)
def test_labels_stand_beside_names_in_one_element(text: str, named: list[Named]) -> None:
    assert namings(text) == named


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (
            'proc_create("kallsyms", 0444, NULL, &ops);',
            [("proc_create()", ('(0)="kallsyms"',), (":ops",))],
        ),
        (
            "rtnl_register(PF_A, RTM_B, f, NULL);",
            [("rtnl_register()", ("(0)=PF_A", "(1)=RTM_B"), (":f",))],
        ),
        (
            'e = create_proc_entry("mtrr", 0, NULL); e->proc_fops = &ops;',
            [("create_proc_entry()", ('(0)="mtrr"',), (":ops",))],
        ),
        (
            'bus = proc_mkdir("bus", NULL);',
            [("proc_mkdir()", ('=(0)="bus"',), (":bus",))],
        ),
        (
            't = kmemdup(table, 10); register_net_sysctl(net, "net/ipv4", t);',
            [("register_net_sysctl()", ('(1)="net/ipv4"',), (":net", ":table"))],
        ),
        ("seq_open(file, &seq);", [("seq_open()", (), (":seq",))]),
        # Flags of bits and locks are no labels, nor is what a local variable is.
        ("set_bit(MY_BIT, &bits);", []),
        ('note("x", e);', []),
    ],
)
def test_labels_stand_beside_names_in_one_call(body: str, named: list[Named]) -> None:
    text = f"int init(struct file *file) {{ struct entry *e, *t; {body} }}"
    found = [each for each in namings(text) if each[0] != "kmemdup()"]
    assert found == named
