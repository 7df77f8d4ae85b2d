"""Shapes of graphs."""
from .case import jar, local, notebook, pipeline, script
from .code import TRAIN


def chain(length):
    names = [f"step_{number}" for number in range(length)]
    return [notebook(name, outputs=[f"out_{name}"], **({"inputs": [f"out_{earlier}"]} if earlier else {}))
            for name, earlier in zip(names, [None, *names])]


CASES = [
    pipeline("two-independent-steps", notebook("a"), notebook("b")),
    pipeline("chain-of-data", *chain(3)),
    pipeline("chain-of-fifteen", *chain(15)),
    pipeline("chain-of-order", notebook("a"), notebook("b", run_after=["a"]), notebook("c", run_after=["b"])),
    pipeline("diamond-of-data", notebook("a", outputs=["x"]), notebook("b", inputs=["x"], outputs=["y"]),
             script("c", inputs=["x"], outputs=["z"]), notebook("d", inputs=["y", "z"])),
    pipeline("diamond-of-order", notebook("a"), notebook("b", run_after=["a"]), notebook("c", run_after=["a"]), notebook("d", run_after=["c", "b"])),
    pipeline("diamond-of-data-and-order", notebook("a", outputs=["x"]), notebook("b", inputs=["x"], outputs=["y"]), notebook("c", run_after=["a"]),
             notebook("d", inputs=["y"], run_after=["c", "b"])),
    pipeline("fan-out", notebook("a", outputs=["x"]), *[script(f"b{number}", inputs=["x"]) for number in range(12)]),
    pipeline("fan-in", *[notebook(f"a{number}", outputs=[f"x{number}"]) for number in range(12)],
             notebook("b", inputs=[f"x{number}" for number in reversed(range(12))])),
    pipeline("fan-out-of-order", notebook("a"), *[notebook(f"b{number}", run_after=["a"]) for number in range(3)],
             notebook("c", run_after=["b2", "b0", "b1"])),
    pipeline("more-than-ten-in-order", *[notebook(f"a{number}") for number in range(11)],
             notebook("b", run_after=[f"a{number}" for number in range(11)])),
    pipeline("two-diamonds", notebook("a", outputs=["x1", "x2"]), notebook("b", inputs=["x1"], outputs=["y1"]),
             notebook("c", inputs=["x2"], outputs=["y2"]), notebook("d", inputs=["y1", "y2"], outputs=["w"]),
             notebook("e", inputs=["w"], outputs=["v1"]), notebook("f", inputs=["w"], outputs=["v2"]), notebook("g", inputs=["v1", "v2"])),
    pipeline("data-and-order-from-one-step", notebook("a", outputs=["x"]), notebook("b", inputs=["x"], run_after=["a"])),
    pipeline("consumer-listed-first", notebook("b", inputs=["x"]), notebook("a", outputs=["x"])),
    pipeline("follower-listed-first", notebook("b", run_after=["a"]), notebook("a")),
    pipeline("diamond-listed-backwards", notebook("d", inputs=["y", "z"]), notebook("c", inputs=["x"], outputs=["z"]),
             notebook("b", inputs=["x"], outputs=["y"]), notebook("a", outputs=["x"], inputs=["wine"]),
             data=[{"name": "wine", "datastore": "workspaceblobstore", "path": "wine"}]),
    pipeline("order-and-data-listed-backwards", notebook("d", inputs=["y"], run_after=["c", "a"]), notebook("c", run_after=["b"]),
             notebook("b", inputs=["x"], outputs=["y"]), notebook("a", outputs=["x"])),
    pipeline("every-kind-in-a-chain", notebook("a", outputs=["x"]), script("b", inputs=["x"], outputs=["y"], python_script_params=["-v"]),
             local("c", inputs=["y"], outputs=["z"]), jar("d", inputs=["z"], run_after=["a"]), source_files=TRAIN),
]
