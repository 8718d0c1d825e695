"""Reconcile: the nearest flows that balance, and the nearest prices that leave every process a margin.

Flows (Stone, Champernowne and Meade 1942, weighted least squares with measurement rows):

    minimise  Σ((x_j − x̂_j)/σ_j)² + Σ((m_iᵀx − v_i)/s_i)²   subject to   flow · x = 0,  x ≥ 0

Prices:

    minimise  Σ((p_n − p̂_n)/σ_n)²   subject to   flow_jᵀ p ≥ cash_j  for every process that runs,  p ≥ p_min

The σ come from one table, fixed before anything is fitted (``data/uncertainty.csv``); nothing here moves
them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import piqp
import polars as pl
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, null_space
from scipy.sparse import block_diag, coo_array, csc_array, csc_matrix, diags_array, eye_array

from monazite.core.errors import FactsError, SolverError
from monazite.facts import FactTable
from monazite.facts.assumptions import assumed
from monazite.network.build import MAKERS, Draft

Float = NDArray[np.float64]

#: an activity that the reconciliation pushes below this share of a tonne is closed
CLOSED = 1e-6
#: adjustments beyond this many of their own standard deviations are listed one by one
OUTLIER = 3.3
#: lowest price that a traded commodity can be given, USD/kg
PRICE_FLOOR = 0.01
#: share of output value that must remain as margin where no cash cost is known
MARGIN_FLOOR = assumed("margin_floor").value


@dataclass(frozen=True)
class Report:
    """What the reconciliation moved, and how far.

    Attributes
    ----------
    chi2 : float
        Σ of squared adjustments in units of σ, flows and measurement rows together.
    dof : int
        Observations less the free dimensions of the balanced flows.
    adjustments : DataFrame
        ``name, kind, estimate, reconciled, sigma, posterior_sd, gained, r``: r is the adjustment over its own
        standard deviation.
    measurements : DataFrame
        ``label, target, reconciled, sigma, r``.
    prices : DataFrame
        ``commodity, place, estimate, reconciled, sigma, r, kind``.
    trade_margins : DataFrame
        Trade flows whose price at the destination is below that at the origin (allowed, listed).
    margins : DataFrame
        ``name, stated, reconciled``: what each process earns per kg of level at the stated and at the
        reconciled prices; one whose stated margin is negative is mended by the nearest prices and stays
        listed.
    chains : DataFrame
        ``chain, chi2, dof, chi2_per_dof, outliers`` (adjustments beyond 3.3 of their own deviations).
    """

    chi2: float
    dof: int
    adjustments: pl.DataFrame
    measurements: pl.DataFrame
    prices: pl.DataFrame
    trade_margins: pl.DataFrame
    margins: pl.DataFrame
    chains: pl.DataFrame

    @property
    def chi2_per_dof(self) -> float:
        """χ² per degree of freedom; null-like ``nan`` where nothing was over-determined."""
        return self.chi2 / self.dof if self.dof > 0 else float("nan")

    def outliers(self, threshold: float = OUTLIER) -> pl.DataFrame:
        """Adjustments larger than `threshold` of their own standard deviations."""
        return self.adjustments.filter(pl.col("r").abs() > threshold)


@dataclass(frozen=True)
class Balanced:
    """Balanced levels (t/yr) and prices (USD/kg) with their report."""

    level: Float
    posterior_sd: Float
    price: Float
    price_kind: list[str]
    price_facts: list[list[int]]
    report: Report


def _quadratic(hessian: csc_array, linear: Float, equality: csc_array, rhs: Float, lower: Float) -> Float:
    """min ½xᵀHx + cᵀx subject to E x = d, x ≥ lower, by PIQP's interior point."""
    solver = piqp.SparseSolver()
    solver.settings.eps_abs = 1e-11
    solver.settings.eps_rel = 1e-12
    solver.settings.max_iter = 400
    upper = np.full(linear.size, np.inf)
    solver.setup(csc_matrix(hessian), linear, csc_matrix(equality), rhs, None, None, None, lower, upper)
    status = solver.solve()
    found = np.asarray(solver.result.x, dtype=float)
    if status.name != "PIQP_SOLVED" or not np.isfinite(found).all():
        raise SolverError("network.not_reconciled", status=status.name)
    return found


def _flows(draft: Draft) -> tuple[Float, Float, float, int, Float]:
    """Balanced levels, posterior sd, χ², degrees of freedom, adjustment over its own standard deviation."""
    estimate = draft.activities["estimate"].to_numpy().astype(float)
    sigma = draft.activities["sigma"].to_numpy().astype(float)
    rows = draft.measurements
    measured = ~np.isnan(estimate)
    idle = measured & (estimate == 0.0)
    observed = measured & ~idle
    scale = np.where(observed, np.maximum(np.abs(estimate), 1e-3), 1.0)
    scale[~measured] = max(float(np.median(scale[observed])), 1.0)
    weight = np.zeros(estimate.size)
    weight[observed] = (scale[observed] / sigma[observed]) ** 2
    weight[~measured] = 1e-10
    level = np.zeros(estimate.size)
    free = ~idle
    columns = np.flatnonzero(free)
    flow = csc_array(draft.flow[:, columns] @ diags_array(scale[columns]))
    live = np.flatnonzero(np.asarray(abs(flow).sum(axis=1)).ravel() > 0)
    flow = csc_array(flow[live])
    row_scale = 1.0 / np.asarray(abs(flow).max(axis=1).todense()).ravel()
    flow = csc_array(diags_array(row_scale) @ flow)
    measure = csc_array(diags_array(1.0 / rows.sigma) @ rows.matrix[:, columns] @ diags_array(scale[columns]))
    goal = rows.target / rows.sigma
    centre = np.where(observed, estimate, 0.0)[columns] / scale[columns]
    hessian = csc_array(diags_array(weight[columns]) + measure.T @ measure)
    linear = -(weight[columns] * centre) - measure.T @ goal
    start = _quadratic(hessian, linear, flow, np.zeros(flow.shape[0]), np.zeros(columns.size))
    positive = start > 1e-7
    # polish on the active set: exact balance, and the posterior of what stays free
    dense_h = hessian.toarray()
    for _ in range(50):
        kernel = null_space(flow.toarray()[:, positive], rcond=1e-11)
        reduced = cho_factor(kernel.T @ dense_h[np.ix_(positive, positive)] @ kernel)
        values = kernel @ cho_solve(reduced, -kernel.T @ linear[positive])
        if values.min(initial=0.0) >= -1e-12:
            break
        positive[np.flatnonzero(positive)[values < -1e-12]] = False
    covariance = kernel @ cho_solve(reduced, kernel.T)
    chosen = columns[positive]
    level[chosen] = np.maximum(values, 0.0) * scale[chosen]
    posterior = np.zeros(estimate.size)
    posterior[chosen] = np.sqrt(np.clip(np.diag(covariance), 0.0, None)) * scale[chosen]
    residual = np.zeros(estimate.size)
    residual[observed] = (level[observed] - estimate[observed]) / sigma[observed]
    row_residual = (rows.matrix @ level - rows.target) / rows.sigma
    chi2 = float((residual**2).sum() + (row_residual**2).sum())
    dof = int(observed.sum()) + rows.target.size - kernel.shape[1]
    own = np.sqrt(np.maximum(sigma**2 - posterior**2, 1e-12 * np.maximum(sigma, 1e-9) ** 2))
    r = np.full(estimate.size, np.nan)
    move = level - estimate
    r[observed] = np.where(
        np.abs(move[observed]) < 1e-9 * scale[observed], 0.0, move[observed] / own[observed]
    )
    return level, posterior, chi2, dof, r


def _price_targets(draft: Draft, facts: FactTable) -> tuple[Float, Float, list[str], list[list[int]]]:
    """Stated price, its σ, kind and fact of every node; a place's own row stands before the general one."""
    frame = facts.select("price").filter(pl.col("value").is_not_null() & (pl.col("status") == "ok"))
    own = {(r["commodity"], r["place"]): r for r in frame.iter_rows(named=True) if r["place"]}
    general = {r["commodity"]: r for r in frame.iter_rows(named=True) if not r["place"]}
    target = np.full(draft.nodes.height, np.nan)
    sigma = np.full(draft.nodes.height, np.nan)
    kinds: list[str] = []
    ids: list[list[int]] = []
    for i, (commodity, place) in enumerate(draft.nodes.select("commodity", "place").iter_rows()):
        row = own.get((commodity, place)) or general.get(commodity)
        if row is None:
            kinds.append("modelled")
            ids.append([])
            continue
        target[i], sigma[i] = float(row["value"]), max(float(row["sigma"]), 1e-3 * abs(float(row["value"])))
        if (commodity, place) not in own:
            sigma[i] = max(sigma[i], 0.15 * target[i])
        kinds.append(row["kind"])
        ids.append([int(row["fact_id"])])
    return target, sigma, kinds, ids


def _prices(
    draft: Draft, facts: FactTable, level: Float
) -> tuple[Float, Float, Float, list[str], list[list[int]]]:
    """Nearest prices at which every process that runs covers its cash cost."""
    target, sigma, kinds, ids = _price_targets(draft, facts)
    known = ~np.isnan(target)
    if not known.any():
        raise FactsError("network.no_price", chains=", ".join(sorted(set(draft.nodes["chain"]))))
    cash = {
        (r["activity"], r["place"]): float(r["value"])
        for r in facts.select("cash_cost").iter_rows(named=True)
        if r["value"] is not None and r["status"] == "ok"
    }
    per_chain = dict(
        draft.nodes.with_columns(p=pl.Series(target).fill_nan(None))
        .group_by("chain")
        .agg(pl.col("p").median())
        .iter_rows()
    )
    fallback = np.array([per_chain[c] or 1.0 for c in draft.nodes["chain"]], dtype=float)
    scale = np.where(known, np.maximum(target, PRICE_FLOOR), fallback)
    weight = np.where(known, (scale / np.where(known, sigma, 1.0)) ** 2, 1e-4)
    goal = np.ones(scale.size)
    makers = draft.activities.filter(pl.col("type").is_in(MAKERS))
    running = [j for j in makers["activity"].to_list() if level[j] > 0]
    flow = draft.flow.tocsc()
    rows, needs = [], []
    for j in running:
        column = flow[:, [j]].toarray().ravel()
        name = draft.activities.row(j, named=True)
        need = cash.get((name["key"], name["place"]), 0.0)
        value = float((np.maximum(column, 0.0) * np.where(known, target, 0.0)).sum())
        rows.append(column)
        needs.append(
            max(need if name["type"] != "mine" else min(need, 0.95 * value or need), MARGIN_FLOOR * value)
        )
    # Aᵀp − s = need, s ≥ 0 ; arcs whose price would differ are tied softly through a spread with its own
    # weight
    trades = [j for j in np.flatnonzero(level > 0) if draft.activities["type"][int(j)] == "trade"]
    margin = np.array(rows) if rows else np.zeros((0, scale.size))
    row_scale = np.maximum(np.abs(margin * scale).max(axis=1, initial=0.0), 1e-9) if rows else np.zeros(0)
    n, k = scale.size, len(rows)
    tie = coo_array((0, n))
    loose = [j for j in trades if not known[flow[:, [j]].indices].all()]
    if loose:
        tie = coo_array(np.array([flow[:, [j]].toarray().ravel() for j in loose]) * scale)
    spread = 1.0 / np.array([scale[flow[:, [j]].indices].max() for j in loose]) if loose else np.zeros(0)
    tied = csc_array(diags_array(10.0 * spread) @ tie) if loose else csc_array((0, n))
    hessian = csc_array(block_diag((diags_array(weight) + tied.T @ tied, 1e-10 * eye_array(k)), format="csc"))
    linear = np.concatenate([-weight * goal, np.zeros(k)])
    equality = csc_array(
        np.hstack([margin * scale / row_scale[:, None], -np.eye(k)]) if k else np.zeros((0, n))
    )
    rhs = np.array(needs) / row_scale if k else np.zeros(0)
    lower = np.concatenate([PRICE_FLOOR / scale, np.zeros(k)])
    solution = _quadratic(hessian, linear, equality, rhs, lower)[:n] * scale
    return np.maximum(solution, PRICE_FLOOR), target, sigma, kinds, ids


def reconcile(draft: Draft, facts: FactTable) -> Balanced:
    """Balance the flows and mend the prices of a draft.

    Parameters
    ----------
    draft : Draft
    facts : FactTable
        The same facts that the draft was built from (prices, cash costs).

    Returns
    -------
    Balanced
        Levels with ``|flow @ level|`` at rounding, prices with no process under its cash cost, and the
        report.

    Raises
    ------
    SolverError
        No balanced flows exist, for instance when a process lacks an input at its place.
    """
    level, posterior, chi2, dof, r = _flows(draft)
    price, target, price_sigma, kinds, ids = _prices(draft, facts, level)
    activities = draft.activities
    adjustments = (
        activities.select("name", "type", "kind", "estimate", "sigma")
        .with_columns(
            reconciled=pl.Series(level),
            posterior_sd=pl.Series(posterior),
            gained=1.0 - pl.Series(posterior) / activities["sigma"],
            r=pl.Series(r).fill_nan(None),
        )
        .with_columns(pl.when(pl.col("sigma") > 0).then(pl.col("gained")).alias("gained"))
    )
    rows = draft.measurements
    measured = rows.matrix @ level
    measurements = pl.DataFrame(
        {
            "label": rows.labels,
            "target": rows.target,
            "reconciled": measured,
            "sigma": rows.sigma,
            "r": (measured - rows.target) / rows.sigma,
        }
    )
    prices = draft.nodes.select("commodity", "place").with_columns(
        estimate=pl.Series(target).fill_nan(None),
        reconciled=pl.Series(price),
        sigma=pl.Series(price_sigma).fill_nan(None),
        r=pl.Series((price - target) / price_sigma).fill_nan(None),
        kind=pl.Series(kinds),
    )
    earned = draft.flow.T @ price
    trade_margins = (
        activities.select("name", "type")
        .with_columns(margin=pl.Series(earned), level=pl.Series(level))
        .filter((pl.col("type") == "trade") & (pl.col("margin") < 0) & (pl.col("level") > 0))
        .sort("margin")
    )
    margins = (
        activities.select("name", "type")
        .with_columns(
            stated=pl.Series(draft.flow.T @ target).fill_nan(None),
            reconciled=pl.Series(earned),
            level=pl.Series(level),
        )
        .filter(pl.col("type").is_in(MAKERS) & (pl.col("level") > 0))
        .select("name", "stated", "reconciled")
        .sort("stated", nulls_last=True)
    )
    chains = pl.DataFrame(
        {
            "chain": [", ".join(sorted(set(draft.nodes["chain"])))],
            "chi2": [chi2],
            "dof": [dof],
            "chi2_per_dof": [chi2 / dof if dof > 0 else None],
            "outliers": [adjustments.filter(pl.col("r").abs() > OUTLIER).height],
        },
        schema_overrides={"chi2_per_dof": pl.Float64},
    )
    report = Report(chi2, dof, adjustments, measurements, prices, trade_margins, margins, chains)
    return Balanced(level, posterior, price, kinds, ids, report)
