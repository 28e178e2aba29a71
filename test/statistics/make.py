"""Values that the comparison's statistics are tested against, worked out by scipy and statsmodels.

    python -m venv venv && venv/bin/pip install scipy==1.* statsmodels==0.15.*
    venv/bin/python test/statistics/make.py

writes expected.json beside this file. Rows of an image hang together on purpose, as phrases of one image do.
"""
import json
import pathlib
from types import SimpleNamespace

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20240917)


def clustered(images, rate_a, rate_b):
    """Hits of two checkpoints; every image has one to six rows and a difficulty of its own."""
    rows = []
    for image in range(images):
        ease = rng.normal(0, 0.8)
        for _ in range(rng.integers(1, 7)):
            u = rng.uniform(0, 1)
            a = u < 1 / (1 + np.exp(-(rate_a + ease)))
            b = 0.6 * u + 0.4 * rng.uniform(0, 1) < 1 / (1 + np.exp(-(rate_b + ease)))
            rows.append((image, int(a), int(b)))
    return rows


def bootstrap_case(name, rows, draws):
    images = sorted({row[0] for row in rows})
    sums = np.array([sum(b - a for i, a, b in rows if i == image) for image in images], float)
    sizes = np.array([sum(1 for i, _, _ in rows if i == image) for image in images], float)
    places = np.arange(len(images))

    def change(index, axis=-1):
        index = np.asarray(index).astype(int)
        return sums[index].sum(axis=axis) / sizes[index].sum(axis=axis)

    distribution = change(rng.integers(0, len(images), (draws, len(images))))
    given = SimpleNamespace(bootstrap_distribution=distribution)

    def interval(method, **more):
        low, high = stats.bootstrap((places,), change, vectorized=True, method=method, confidence_level=0.95, **more).confidence_interval
        return [float(low), float(high)]

    jackknife = [float((sums.sum() - s) / (sizes.sum() - n)) for s, n in zip(sums, sizes)]
    return {
        "name": name, "rows": rows, "estimate": float(change(places)), "jackknife": jackknife, "draws": [float(value) for value in distribution],
        "percentile": interval("percentile", n_resamples=0, bootstrap_result=given), "bca": interval("BCa", n_resamples=0, bootstrap_result=given),
        # The whole of it by scipy, with draws of its own: the same but for chance.
        "scipyBca": interval("BCa", n_resamples=40_000, rng=np.random.default_rng(1)), "scipyPercentile": interval("percentile", n_resamples=40_000, rng=np.random.default_rng(1)),
    }


tables = [(803, 174), (10, 3), (0, 5), (7, 7), (2, 1), (1, 0), (40, 25), (1200, 1100), (0, 60)]
lists = [[float(p) for p in rng.uniform(0, 1, n) ** 3] for n in (1, 2, 6, 25)] + [[0.01, 0.01, 0.04, 0.04, 0.9, 1.0], [0.0, 0.2, 0.2]]
z = [float(value) for value in np.concatenate([np.linspace(-8, 8, 65), [0.1, -0.46, 0.66, 5.9, -37.0]])]
p = [1e-300, 1e-30, 1e-9, 0.001, 0.025, 0.075, 0.3, 0.5, 0.7, 0.924, 0.975, 0.999999]

expected = {
    "madeWith": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "mcnemar": [{"fixed": f, "broken": b, "p": float(mcnemar([[0, b], [f, 0]], exact=True).pvalue)} for f, b in tables],
    "corrections": [{"p": ps, "holm": multipletests(ps, method="holm")[1].tolist(), "bh": multipletests(ps, method="fdr_bh")[1].tolist()} for ps in lists],
    "normal": {"z": z, "cdf": stats.norm.cdf(z).tolist(), "p": p, "ppf": stats.norm.ppf(p).tolist()},
    "bootstrap": [
        bootstrap_case("a small change", clustered(40, 0.2, 0.5), 599),
        bootstrap_case("a large change", clustered(60, -0.8, 1.4), 599),
        bootstrap_case("rare hits", clustered(30, -3.5, -2.6), 599),
    ],
}
pathlib.Path(__file__).with_name("expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
