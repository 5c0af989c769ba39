"""Boolean functions as Liberty files write them: ! and ' are not, ^ is xor, a space, * and & are and, + and | are or, in this order of precedence
(Liberty User Guide, attribute `function`)."""

import re

_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_][\w\[\]]*)|(?P<const>[01])(?!\w)|(?P<op>[!'^*&+|()]))")


def parse(text):
    """("pin", name), ("const", 0 or 1), ("not", f), or ("xor" | "and" | "or", f, g). ValueError says what is wrong where."""
    tokens, at = [], 0
    while text[at:].strip():
        m = _TOKEN.match(text, at)
        if not m:
            raise ValueError(f"{text[at:].strip()[0]!r} is no part of a Liberty function")
        tokens.append((m.lastgroup, m[m.lastgroup]))
        at = m.end()
    tokens.append(("end", ""))

    def take(*ops):
        if tokens[0] in [("op", o) for o in ops]:
            return tokens.pop(0)[1]
        return None

    def operand():
        if take("!"):
            return ("not", operand())
        if take("("):
            inside = either()
            if not take(")"):
                raise ValueError(f"')' expected before {tokens[0][1] or 'the end'!r}")
        else:
            kind, word = tokens.pop(0)
            if kind not in ("name", "const"):
                raise ValueError(f"a pin, 0, 1 or '(' expected before {word or 'the end'!r}")
            inside = ("pin", word) if kind == "name" else ("const", int(word))
        while take("'"):
            inside = ("not", inside)
        return inside

    def differ():
        f = operand()
        while take("^"):
            f = ("xor", f, operand())
        return f

    def both():
        f = differ()
        while take("*", "&") or tokens[0][0] in ("name", "const") or tokens[0] in (("op", "("), ("op", "!")):
            f = ("and", f, differ())
        return f

    def either():
        f = both()
        while take("+", "|"):
            f = ("or", f, both())
        return f

    f = either()
    if tokens[0][0] != "end":
        raise ValueError(f"{tokens[0][1]!r} stands where an operator or the end is expected")
    return f


def pins(f):
    """Names in a function."""
    if f[0] in ("pin", "const"):
        return {f[1]} if f[0] == "pin" else set()
    return set().union(*map(pins, f[1:]))


def value(f, inputs):
    """0 or 1, for inputs {name: 0 or 1}."""
    if f[0] == "pin":
        return inputs[f[1]]
    if f[0] == "const":
        return f[1]
    a = [value(g, inputs) for g in f[1:]]
    return {"not": lambda: 1 - a[0], "xor": lambda: a[0] ^ a[1], "and": lambda: a[0] & a[1], "or": lambda: a[0] | a[1]}[f[0]]()


def verilog(f):
    """The same in Verilog, every pair in brackets."""
    if f[0] == "pin":
        return f[1]
    if f[0] == "const":
        return f"1'b{f[1]}"
    if f[0] == "not":
        return f"~{verilog(f[1])}"
    return f"({verilog(f[1])} {dict(xor='^', **{'and': '&', 'or': '|'})[f[0]]} {verilog(f[2])})"
