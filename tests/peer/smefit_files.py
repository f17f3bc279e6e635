"""The compact benchmarks of corpus/smefit written as files of SMEFiT's own formats: commondata, theory tables, runcards."""

import json

import numpy as np
import yaml


def write(benchmark, folder):
    """The database and the runcards `linear.yaml` and, where there are quadratic terms, `quadratic.yaml`. Returns these."""
    for name in ("commondata", "theory"):
        (folder / name).mkdir()
    operators, data, best = benchmark["operators"], benchmark["data"], benchmark["sm"]
    linear, quadratic = np.array(benchmark["linear"]), pairs(benchmark, len(data))
    first = 0
    for own, block in zip(benchmark["datasets"], benchmark["theory_cov_blocks"]):
        n, name = own["n"], own["name"]
        rows = slice(first, first + n)
        table = {"SM": best[rows]}
        table |= {operator: list(linear[rows, i]) for i, operator in enumerate(operators)}
        table |= {key: list(column[rows]) for key, column in quadratic.items() if column[rows].any()}
        theory = {"best_sm": best[rows], "theory_cov_current": block, own["order"]: table}
        (folder / f"theory/{name}.json").write_text(json.dumps(theory))
        errors = [entry[1:] for entry in benchmark["systematics"] if entry[0] == name]
        measured = commondata(name, data[rows], benchmark["stat"][rows], errors)
        (folder / f"commondata/{name}.yaml").write_text(yaml.dump(measured, Dumper=yaml.CSafeDumper, width=10**6))
        first += n
    assert first == len(data)
    runcards = [runcard(benchmark, folder, use_quad) for use_quad in ([False, True] if quadratic else [False])]
    return runcards


def pairs(benchmark, n):
    """{"Op1*Op2": values of all points}"""
    columns = {}
    if isinstance(benchmark["quadratic_sparse"], str):
        return columns
    for i, j, rows, values in benchmark["quadratic_sparse"]:
        column = np.zeros(n)
        column[rows] = values
        columns[f"{benchmark['operators'][i]}*{benchmark['operators'][j]}"] = column
    return columns


def commondata(name, data, stat, errors):
    """A single point, and the words of a single systematic, stand without brackets."""
    single = lambda values: values[0] if len(values) == 1 else list(values)
    point = (lambda values: values[0]) if len(data) == 1 else list
    return {
        "dataset_name": name,
        "num_data": len(data),
        "num_sys": len(errors),
        "data_central": point(data),
        "statistical_error": point(stat),
        "systematics": [point(values) for _, _, values in errors],
        "sys_names": single([own for own, _, _ in errors]) if errors else [],
        "sys_type": single([kind for _, kind, _ in errors]) if errors else [],
    }


def runcard(benchmark, folder, use_quad):
    boxes = zip(benchmark["operators"], benchmark["bounds"])
    config = {
        "data_path": "commondata",
        "theory_path": "theory",
        "use_quad": use_quad,
        "use_theory_covmat": True,
        "use_t0": True,
        "datasets": [{"name": own["name"], "order": own["order"]} for own in benchmark["datasets"]],
        "coefficients": {operator: {"min": low, "max": high} for operator, (low, high) in boxes},
    }
    path = folder / ("quadratic.yaml" if use_quad else "linear.yaml")
    path.write_text(yaml.safe_dump(config))
    return path
