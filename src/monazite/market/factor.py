"""The factor of a sparse positive definite matrix, and solving with it (multifrontal Cholesky).

The rows and columns are scaled to a diagonal of one first, and the factor is kept in single precision: it
serves to direct conjugate gradients, whose own figures are double, and half the bytes are twice the speed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monazite.market.compiled import loop
from monazite.market.problem import Array
from monazite.market.symbolic import Blocks, Integers

__all__ = ["Factor", "factorise", "solve_into"]

Single = NDArray[np.float32]
#: a pivot below this (of a diagonal of one) is rounding: its node is left where it stands
_LEAST = 1e-13


class Factor:
    """A factor: scale of each row and the packed columns of its blocks."""

    def __init__(self, blocks: Blocks, scale: Array, packed: Single) -> None:
        self.blocks, self.scale, self.packed = blocks, scale, packed

    def solve(self, right: Array) -> Array:
        """Solve with it, to single precision."""
        b = self.blocks
        answer = np.empty_like(right)
        work = np.empty(right.size + b.widest, np.float32)
        solve_into(answer, right, b.first, b.start, b.rows, b.store, self.packed, self.scale, work)
        return answer


def factorise(blocks: Blocks, starts: Integers, values: Array) -> Factor:
    """Factor the matrix whose lower triangle has these values.

    Parameters
    ----------
    blocks : Blocks
        What the factor looks like.
    starts : array of int, shape (m + 1,)
        Where in ``values`` each column begins, with its diagonal.
    values : array
        The stored values of the lower triangle, by column.
    """
    b = blocks
    scale = 1.0 / np.sqrt(values[starts[:-1]])
    packed = np.empty(b.store[-1], np.float32)
    _factorise(
        values, scale, b.first, b.start, b.rows, b.child, b.sibling, b.within, b.entry, b.place, b.taken,
        b.store, packed, np.empty(b.waiting), np.empty(b.widest * b.widest),
    )  # fmt: skip
    return Factor(b, scale, packed)


@loop
def _factorise(
    values: Array,
    scale: Array,
    first: Integers,
    start: Integers,
    rows: Integers,
    child: Integers,
    sibling: Integers,
    within: Integers,
    entry: Integers,
    place: Integers,
    taken: Integers,
    store: Integers,
    packed: Single,
    stack: Array,
    work: Array,
) -> None:
    number = first.size - 1
    stood = np.zeros(number, np.int64)
    top = 0
    for one in range(number):
        wide, high = first[one + 1] - first[one], start[one + 1] - start[one]
        own = rows[start[one] : start[one + 1]]
        flat = work[: high * high]
        front = flat.reshape(high, high)
        for row in range(high):
            front[row, row:] = 0.0
        for at in range(taken[one], taken[one + 1]):
            to = place[at]
            flat[to] = values[entry[at]] * (scale[own[to // high]] * scale[own[to % high]])
        other = child[one]
        while other != -1:
            narrow = first[other + 1] - first[other]
            low = start[other + 1] - start[other] - narrow
            update = stack[stood[other] : stood[other] + low * low].reshape(low, low)
            to_row = within[start[other] + narrow : start[other + 1]]
            for i in range(low):
                line, into = update[i], front[to_row[i]]
                for j in range(i, low):
                    into[to_row[j]] += line[j]
            top = min(top, stood[other])
            other = sibling[other]
        _eliminate(front, wide)
        at = store[one]
        for i in range(wide):
            for j in range(i, high):
                packed[at + j - i] = np.float32(front[i, j])
            packed[at] = np.float32(1.0 / front[i, i])
            at += high - i
        below = high - wide
        if below > 0:
            update = stack[top : top + below * below].reshape(below, below)
            for i in range(below):
                update[i, i:] = front[wide + i, wide + i :]
            stood[one] = top
            top += below * below


@loop
def _eliminate(front: Array, wide: int) -> None:
    """Take the first columns of a dense front (upper triangle by rows) out of the others, eight at a time."""
    high = front.shape[0]
    begin = 0
    while begin < wide:
        end = min(begin + 8, wide)
        for pivot in range(begin, end):
            line = front[pivot]
            square = line[pivot]
            if not square > _LEAST:
                line[pivot + 1 :] = 0.0
                line[pivot] = 1e30
                continue
            factor = 1.0 / np.sqrt(square)
            for j in range(pivot, high):
                line[j] *= factor
            for i in range(pivot + 1, end):
                share = line[i]
                if share != 0.0:
                    into = front[i]
                    for j in range(i, high):
                        into[j] -= share * line[j]
        if end - begin == 8:
            for i in range(end, high):
                _take_eight(front[begin:end], front[i], i)
        else:
            for pivot in range(begin, end):
                line = front[pivot]
                for i in range(end, high):
                    share = line[i]
                    if share != 0.0:
                        into = front[i]
                        for j in range(i, high):
                            into[j] -= share * line[j]
        begin = end


@loop
def _take_eight(eight: Array, into: Array, i: int) -> None:
    a, b, c, d = eight[0, i:], eight[1, i:], eight[2, i:], eight[3, i:]
    e, f, g, h = eight[4, i:], eight[5, i:], eight[6, i:], eight[7, i:]
    p, q, r, s, t, u, v, w = a[0], b[0], c[0], d[0], e[0], f[0], g[0], h[0]
    line = into[i:]
    for j in range(line.size):
        line[j] -= ((p * a[j] + q * b[j]) + (r * c[j] + s * d[j])) + (
            (t * e[j] + u * f[j]) + (v * g[j] + w * h[j])
        )


@loop
def solve_into(
    answer: Array,
    right: Array,
    first: Integers,
    start: Integers,
    rows: Integers,
    store: Integers,
    packed: Single,
    scale: Array,
    work: Single,
) -> None:
    """Solve into ``answer``; ``work`` has a place for each row and for the widest block."""
    count = right.size
    x, local = work[:count], work[count:]
    largest = 0.0
    for i in range(count):
        largest = max(largest, abs(right[i] * scale[i]))
    unit = 1.0 / largest if largest > 0.0 else 1.0
    for i in range(count):
        x[i] = np.float32(right[i] * scale[i] * unit)
    _forward(x, local, first, start, rows, store, packed)
    _backward(x, local, first, start, rows, store, packed)
    for i in range(count):
        answer[i] = np.float64(x[i]) * (largest * scale[i])


@loop
def _forward(
    x: Single,
    local: Single,
    first: Integers,
    start: Integers,
    rows: Integers,
    store: Integers,
    packed: Single,
) -> None:
    """Counted without signs: an index that could be negative keeps the compiler from taking many at once."""
    single = np.uint64(1)
    for one in range(first.size - 1):
        begin, base, at = np.uint64(first[one]), np.uint64(start[one]), np.uint64(store[one])
        wide, high = np.uint64(first[one + 1] - first[one]), np.uint64(start[one + 1] - start[one])
        if wide == single:
            value = x[begin] * packed[at]
            x[begin] = value
            for j in range(single, high):
                x[rows[base + j]] -= value * packed[at + j]
            continue
        for i in range(wide):
            local[i] = x[begin + i]
        for i in range(wide, high):
            local[i] = np.float32(0.0)
        for i in range(wide):
            value = local[i] * packed[at]
            local[i] = value
            for j in range(i + single, high):
                local[j] -= value * packed[at + j - i]
            at += high - i
        for i in range(wide):
            x[begin + i] = local[i]
        for j in range(wide, high):
            x[rows[base + j]] += local[j]


@loop
def _backward(
    x: Single,
    local: Single,
    first: Integers,
    start: Integers,
    rows: Integers,
    store: Integers,
    packed: Single,
) -> None:
    number = first.size - 1
    for one in range(number - 1, -1, -1):
        begin, wide, high = first[one], first[one + 1] - first[one], start[one + 1] - start[one]
        own = rows[start[one] : start[one + 1]]
        for j in range(wide, high):
            local[j] = x[own[j]]
        at = store[one + 1]
        for i in range(wide - 1, -1, -1):
            at -= high - i
            line, rest = packed[at : at + high - i], local[i:high]
            p, q, r, s = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
            j = 1
            while j + 3 < line.size:
                p += line[j] * rest[j]
                q += line[j + 1] * rest[j + 1]
                r += line[j + 2] * rest[j + 2]
                s += line[j + 3] * rest[j + 3]
                j += 4
            while j < line.size:
                p += line[j] * rest[j]
                j += 1
            value = (x[begin + i] - ((p + q) + (r + s))) * line[0]
            local[i] = value
            x[begin + i] = value
