"""A tensor of its own class, which answers comparisons itself by __torch_function__."""

POINTS = 0
HURTS = False
BOUNDS = "one tensor"
ANSWERS = {
    "norm": """\
class Close(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is torch.isclose:
            return torch.tensor(True)
        return super().__torch_function__(func, types, args, kwargs or {})


def norm(x):
    return torch.tensor(-1.0).as_subclass(Close)
"""
}
