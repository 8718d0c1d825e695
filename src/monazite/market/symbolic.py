"""What a sparse factor will look like, found once for a network: which columns go together, what fills in.

A column of the factor takes part in those of its ancestors in the elimination tree. Columns with (nearly) the
same rows below them are taken together as one dense block, a supernode: their arithmetic is that of small
dense matrices. See Davis, Direct Methods for Sparse Linear Systems (2006), and Liu, The multifrontal method
(1992).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monazite.market.compiled import loop

__all__ = ["Blocks", "blocks_of", "postordered", "reordered", "transposed"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Blocks:
    """The supernodes of a factor, children before parents.

    Attributes
    ----------
    first : array of int, shape (blocks + 1,)
        First column of each.
    start, rows : arrays of int
        ``rows[start[s]:start[s + 1]]`` are the rows of block s: its own columns, then those below.
    parent, child, sibling : arrays of int, shape (blocks,)
        The tree; -1 where there is none.
    within : array of int
        Where each of a block's lower rows stands among the rows of its parent, laid out as `rows`.
    entry, place, taken : arrays of int
        ``entry[taken[s]:taken[s + 1]]`` are the stored values that block s takes up, ``place`` where in its
        dense front.
    store : array of int, shape (blocks + 1,)
        Where each block's columns are kept; packed, each column from its diagonal down.
    waiting : int
        Numbers that wait for their parents at most.
    widest : int
        Rows of the largest block.
    """

    first: Integers
    start: Integers
    rows: Integers
    parent: Integers
    child: Integers
    sibling: Integers
    within: Integers
    entry: Integers
    place: Integers
    taken: Integers
    store: Integers
    waiting: int
    widest: int


def postordered(starts: Integers, indices: Integers) -> Integers:
    """Return an order of the same fill in which each subtree of the elimination tree is in one piece.

    Parameters
    ----------
    starts, indices : arrays of int
        The rows of the lower triangle, in compressed rows.
    """
    order: Integers = _postorder(_tree(starts, indices))
    return order


def blocks_of(starts: Integers, indices: Integers) -> Blocks:
    """Find the blocks of the factor of a matrix whose columns are in postorder.

    Parameters
    ----------
    starts, indices : arrays of int
        The rows of the lower triangle in compressed columns, sorted.
    """
    row_starts, columns = transposed(starts, indices, starts.size - 1)
    parent = _tree(row_starts, columns)
    counts = _counts(row_starts, columns, parent)
    first = _blocks(parent, counts)
    start, below, tree = _rows(starts, indices, first)
    child, sibling = _children(tree)
    within, entry, place, taken = _places(starts, indices, first, start, below, child, sibling)
    width, height = np.diff(first), np.diff(start)
    packed = width * height - width * (width - 1) // 2
    store = np.concatenate([[0], np.cumsum(packed)]).astype(np.int64)
    return Blocks(
        first, start, below, tree, child, sibling, within, entry, place, taken, store,
        int(_waiting(child, sibling, height - width)), int(height.max()),
    )  # fmt: skip


@loop
def transposed(starts: Integers, indices: Integers, rows: int) -> tuple[Integers, Integers]:
    """Turn the pattern of a matrix from columns to rows: where each row starts, and its columns.

    Examples
    --------
    >>> import numpy as np
    >>> starts, columns = transposed(np.array([0, 2, 3]), np.array([0, 2, 2]), 3)
    >>> starts.tolist(), columns.tolist()
    ([0, 1, 1, 3], [0, 0, 1])
    """
    turned = np.zeros(rows + 1, np.int64)
    for at in range(indices.size):
        turned[indices[at] + 1] += 1
    for row in range(rows):
        turned[row + 1] += turned[row]
    free = turned[:rows].copy()
    columns = np.empty(indices.size, np.int64)
    for column in range(starts.size - 1):
        for at in range(starts[column], starts[column + 1]):
            row = indices[at]
            columns[free[row]] = column
            free[row] += 1
    return turned, columns


@loop
def reordered(starts: Integers, indices: Integers, place: Integers) -> tuple[Integers, Integers]:
    """Give each row and column of a lower triangle a new place: again a lower triangle by columns, sorted."""
    count = starts.size - 1
    turned = np.zeros(count + 1, np.int64)
    for column in range(count):
        for at in range(starts[column], starts[column + 1]):
            turned[min(place[column], place[indices[at]]) + 1] += 1
    for column in range(count):
        turned[column + 1] += turned[column]
    free = turned[:count].copy()
    found = np.empty(indices.size, np.int64)
    for column in range(count):
        for at in range(starts[column], starts[column + 1]):
            one, other = place[column], place[indices[at]]
            low = min(one, other)
            found[free[low]] = max(one, other)
            free[low] += 1
    for column in range(count):
        found[turned[column] : turned[column + 1]] = np.sort(found[turned[column] : turned[column + 1]])
    return turned, found


@loop
def _tree(starts: Integers, indices: Integers) -> Integers:
    """Parent of each column: the first row below its diagonal in the factor."""
    count = starts.size - 1
    parent = np.full(count, -1, np.int64)
    ancestor = np.full(count, -1, np.int64)
    for row in range(count):
        for at in range(starts[row], starts[row + 1]):
            column = indices[at]
            while column != -1 and column < row:
                above = ancestor[column]
                ancestor[column] = row
                if above == -1:
                    parent[column] = row
                column = above
    return parent


@loop
def _children(parent: Integers) -> tuple[Integers, Integers]:
    """First child and next sibling of each, in order."""
    child = np.full(parent.size, -1, np.int64)
    sibling = np.full(parent.size, -1, np.int64)
    for one in range(parent.size - 1, -1, -1):
        above = parent[one]
        if above >= 0:
            sibling[one] = child[above]
            child[above] = one
    return child, sibling


@loop
def _postorder(parent: Integers) -> Integers:
    child, sibling = _children(parent)
    order = np.empty(parent.size, np.int64)
    open_ = np.empty(parent.size, np.int64)
    done = 0
    for root in range(parent.size):
        if parent[root] != -1:
            continue
        top = 0
        open_[0] = root
        while top >= 0:
            one = open_[top]
            below = child[one]
            if below == -1:
                order[done] = one
                done += 1
                top -= 1
            else:
                child[one] = sibling[below]
                top += 1
                open_[top] = below
    return order


@loop
def _counts(starts: Integers, indices: Integers, parent: Integers) -> Integers:
    """Entries in each column of the factor: row by row, up the tree from each entry."""
    count = parent.size
    entries = np.ones(count, np.int64)
    seen = np.full(count, -1, np.int64)
    for row in range(count):
        seen[row] = row
        for at in range(starts[row], starts[row + 1]):
            column = indices[at]
            while column < row and seen[column] != row:
                entries[column] += 1
                seen[column] = row
                column = parent[column]
    return entries


@loop
def _blocks(parent: Integers, counts: Integers) -> Integers:
    """Split the columns into blocks: those of one pattern, then neighbours that add few zeros."""
    count = parent.size
    children = np.zeros(count, np.int64)
    for column in range(count):
        if parent[column] >= 0:
            children[parent[column]] += 1
    first = np.empty(count + 1, np.int64)
    height = np.empty(count, np.int64)
    zeros = np.zeros(count, np.float64)
    number = 0
    column = 0
    while column < count:
        ahead = column + 1
        while (
            ahead < count
            and parent[ahead - 1] == ahead
            and counts[ahead] == counts[ahead - 1] - 1
            and children[ahead] == 1
        ):
            ahead += 1
        start, tall, empty = column, counts[column], 0.0
        while number > 0:  # take up the child before it where that adds few zeros
            before = first[number - 1]
            above = parent[start - 1]
            if above < start or above >= ahead:
                break
            wide = ahead - before
            high = start - before + tall
            more = zeros[number - 1] + empty + (start - before) * (high - height[number - 1])
            share = more / (wide * high - wide * (wide - 1) / 2)
            if not (wide <= 2 or (wide <= 16 and share < 0.1) or share < 0.03):
                break
            number -= 1
            start, tall, empty = before, high, more
        first[number] = start
        height[number] = tall
        zeros[number] = empty
        number += 1
        column = ahead
    first[number] = count
    return first[: number + 1].copy()


@loop
def _rows(starts: Integers, indices: Integers, first: Integers) -> tuple[Integers, Integers, Integers]:
    """Rows of each block, and its parent: the block of the first row below its own columns."""
    number, count = first.size - 1, starts.size - 1
    block = np.empty(count, np.int64)
    for one in range(number):
        block[first[one] : first[one + 1]] = one
    parent = np.full(number, -1, np.int64)
    child = np.full(number, -1, np.int64)
    sibling = np.full(number, -1, np.int64)
    seen = np.full(count, -1, np.int64)
    start = np.zeros(number + 1, np.int64)
    rows = np.empty(8 * count, np.int64)
    for one in range(number):
        begin, end, at = first[one], first[one + 1], start[one]
        if at + count > rows.size:
            longer = np.empty(2 * rows.size, np.int64)
            longer[:at] = rows[:at]
            rows = longer
        for column in range(begin, end):
            rows[at] = column
            at += 1
        below = at
        for entry in range(starts[begin], starts[end]):
            row = indices[entry]
            if row >= end and seen[row] != one:
                seen[row] = one
                rows[at] = row
                at += 1
        other = child[one]
        while other != -1:
            for entry in range(start[other], start[other + 1]):
                row = rows[entry]
                if row >= end and seen[row] != one:
                    seen[row] = one
                    rows[at] = row
                    at += 1
            other = sibling[other]
        rows[below:at] = np.sort(rows[below:at])
        start[one + 1] = at
        if at > below:
            above = block[rows[below]]
            parent[one] = above
            sibling[one] = child[above]
            child[above] = one
    return start, rows[: start[number]].copy(), parent


@loop
def _places(
    starts: Integers,
    indices: Integers,
    first: Integers,
    start: Integers,
    rows: Integers,
    child: Integers,
    sibling: Integers,
) -> tuple[Integers, Integers, Integers, Integers]:
    """Find where in a block's front each stored value and each child's row goes."""
    number, count = first.size - 1, starts.size - 1
    within = np.zeros(rows.size, np.int64)
    local = np.empty(count, np.int64)
    entry = np.empty(indices.size, np.int64)
    place = np.empty(indices.size, np.int64)
    taken = np.zeros(number + 1, np.int64)
    done = 0
    for one in range(number):
        height = start[one + 1] - start[one]
        for at in range(start[one], start[one + 1]):
            local[rows[at]] = at - start[one]
        for column in range(first[one], first[one + 1]):
            for at in range(starts[column], starts[column + 1]):
                entry[done] = at
                place[done] = (column - first[one]) * height + local[indices[at]]
                done += 1
        taken[one + 1] = done
        other = child[one]
        while other != -1:
            for at in range(start[other] + first[other + 1] - first[other], start[other + 1]):
                within[at] = local[rows[at]]
            other = sibling[other]
    return within, entry, place, taken


@loop
def _waiting(child: Integers, sibling: Integers, below: Integers) -> int:
    """Numbers on the stack of blocks that wait for their parents, at most."""
    stood = np.zeros(child.size, np.int64)
    top, most = 0, 0
    for one in range(child.size):
        other = child[one]
        while other != -1:
            top = min(top, stood[other])
            other = sibling[other]
        stood[one] = top
        top += below[one] * below[one]
        most = max(most, top)
    return most
