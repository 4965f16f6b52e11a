MODEL = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.first, self.last = nn.Linear(3, width), nn.Linear(width, 2)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        self.seen += 1
        return self.last(torch.relu(self.first(x)))

def rms_norm(x, weight, eps=1e-6):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight

def two(x, y):
    return x * y, {"sum": x + y, "none": None, "whole": 3}

def train_step(model, batch, optimizer):
    optimizer.zero_grad()
    loss = model(batch).pow(2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()

def loss_through(f, x):
    return (f(x) * 3).sum()

class Momentum:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr
        self.state = [torch.zeros_like(p) for p in self.params]

    def step(self):
        with torch.no_grad():
            for p, s in zip(self.params, self.state):
                s.mul_(0.9).add_(p.grad)
                p.sub_(self.lr * s)

    def zero_grad(self):
        for p in self.params:
            p.grad = None

class Memory:
    def __init__(self): self.kept = []
    def add(self, x):
        self.kept.append(x)
        return torch.stack(self.kept).sum()
"""


def test_gradients_of_a_function(start) -> None:
    start(MODEL).passes("""
import torch
for dtype in (torch.float32, torch.bfloat16, torch.float64):
    torch.manual_seed(0)
    x = torch.randn(2, 5, dtype=dtype, requires_grad=True)
    w = torch.randn(5, dtype=dtype, requires_grad=True)
    out = rms_norm(x, w)
    assert out.dtype == dtype and out.requires_grad and not out.is_leaf
    out.float().pow(2).sum().backward()
    a, b = (t.detach().clone().requires_grad_() for t in (x, w))
    (a * torch.rsqrt(a.pow(2).mean(-1, keepdim=True) + 1e-6) * b).float().pow(2).sum().backward()
    torch.testing.assert_close(x.grad, a.grad)
    torch.testing.assert_close(w.grad, b.grad)
base = torch.randn(2, 5, requires_grad=True)
rms_norm(base * 2, torch.ones(5)).sum().backward()  # an argument in the middle of a graph
assert base.grad is not None and base.grad.abs().sum() > 0
x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
product, rest = two(x, y)
(product + 10 * rest["sum"]).backward()
assert x.grad == 15 and y.grad == 12 and rest["none"] is None and rest["whole"] == 3
gx, = torch.autograd.grad(two(x, y)[0], x)
ones = torch.ones(2, dtype=torch.float64, requires_grad=True)
assert gx == 5 and torch.autograd.gradcheck(lambda t: two(t, t)[0], ones)
with torch.no_grad():
    assert not two(x, y)[0].requires_grad
assert not two(x.detach(), y.detach())[0].requires_grad
""")


def test_second_derivatives_are_refused(start) -> None:
    message = start(MODEL).fails("""
import torch
x = torch.ones(3, requires_grad=True)
g, = torch.autograd.grad(two(x, x)[0].sum(), x, create_graph=True)
""")
    assert "gradients of gradients" in message


def test_a_module_with_parameters(start) -> None:
    start(MODEL).passes("""
import torch
net = Net()
assert isinstance(net, torch.nn.Module) and isinstance(net, Net) and isinstance(net.first, torch.nn.Linear)
assert [name for name, _ in net.named_parameters()] == ["first.weight", "first.bias", "last.weight", "last.bias"]
assert sum(p.numel() for p in net.parameters()) == 26 and net.first.in_features == 3
assert all(isinstance(p, torch.nn.Parameter) for p in net.parameters())
x = torch.randn(6, 3)
out = net(x)
assert out.shape == (6, 2) and net.seen == 1
copy = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
state = {k.replace("first", "0").replace("last", "2"): v for k, v in net.state_dict().items() if k != "seen"}
copy.load_state_dict(state)
torch.testing.assert_close(out, copy(x))
out.pow(2).sum().backward(); copy(x).pow(2).sum().backward()
for p, q in zip(net.parameters(), copy.parameters()):
    torch.testing.assert_close(p.grad, q.grad)
net.zero_grad()
assert all(p.grad is None for p in net.parameters())
net.eval(); assert not net.training
net.train(); assert net.training
assert net.to(torch.bfloat16) is net and next(net.parameters()).dtype == torch.bfloat16
assert net(x.bfloat16()).dtype == torch.bfloat16
net.float()
net.last.weight.data.fill_(0.0); net.last.bias.data.copy_(torch.tensor([1.0, 2.0]))
assert torch.equal(net(x), torch.tensor([[1.0, 2.0]]).expand(6, 2))
net.load_state_dict({k: torch.ones_like(v) for k, v in net.state_dict().items()})
assert net.last.bias.tolist() == [1, 1]
whole = torch.nn.Sequential(net, torch.nn.Linear(2, 1))
assert len(list(whole.parameters())) == 6
whole(x).sum().backward()
assert net.first.weight.grad is not None
before = [p.detach().clone() for p in whole.parameters()]
torch.optim.SGD(whole.parameters(), lr=0.1).step()
assert any(not torch.equal(a, b) for a, b in zip(before, whole.parameters()))
torch.nn.utils.clip_grad_norm_(net.parameters(), 1e-3)
import copy as c
twin = c.deepcopy(net)
assert torch.equal(twin.first.weight, net.first.weight) and twin.first.weight is not net.first.weight
net.first.weight.requires_grad_(False)
net.zero_grad(); net(x).sum().backward()
assert net.first.weight.grad is None and net.last.weight.grad is not None
""")


def test_training_loops_on_either_side(start) -> None:
    start(MODEL).passes("""
import torch
torch.manual_seed(0)
x = torch.randn(8, 3)
net = Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=0.05)
losses = []
for _ in range(20):
    optimizer.zero_grad()
    loss = net(x).pow(2).mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[-1] < losses[0] / 2
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
first = train_step(net, x, optimizer)
for _ in range(10):
    last = train_step(net, x, optimizer)
assert last < first
""")


def test_the_students_optimizer_on_the_tests_parameters(start) -> None:
    start(MODEL).passes("""
import torch
model = torch.nn.Linear(3, 1)
before = [p.detach().clone() for p in model.parameters()]
opt = Momentum(model.parameters(), lr=0.5)
for step in range(3):
    opt.zero_grad()
    assert model.weight.grad is None
    model(torch.ones(1, 3)).sum().backward()
    opt.step()
moved = 0.5 * (1 + 1.9 + 1 + 0.9 * 1.9)
torch.testing.assert_close(model.weight.detach(), before[0] - moved)
torch.testing.assert_close(model.bias.detach(), before[1] - moved)
""")


def test_the_tests_modules_and_functions_in_the_students_graph(start) -> None:
    start(MODEL).passes("""
import torch
linear = torch.nn.Linear(2, 2)
x = torch.ones(2, requires_grad=True)
loss_through(linear, x).backward()
assert torch.equal(linear.bias.grad, torch.full((2,), 3.0))
torch.testing.assert_close(x.grad, 3 * linear.weight.detach().sum(0))
scale = torch.tensor(4.0, requires_grad=True)
x.grad = None
loss_through(lambda t: t * scale, x).backward()
assert torch.equal(x.grad, torch.full((2,), 12.0)) and scale.grad == 6
class Toy(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor(2.0))
    def forward(self, x): return x * self.w
toy = Toy()
loss_through(toy, x).backward()
assert toy.w.grad == 6
""")


def test_state_that_keeps_a_graph(start) -> None:
    start(MODEL).passes("""
import torch
m = Memory()
a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
m.add(a * 2)
(m.add(b) * 5).backward()
assert a.grad.tolist() == [10, 10] and b.grad.tolist() == [5, 5]
""")


def test_graphs_and_mirrors_are_let_go(start) -> None:
    session = start(MODEL, handles=40)
    session.passes("""
import torch
w = torch.ones(3, requires_grad=True)
for _ in range(120):
    two(w * 1.0, w)[0].sum().backward()
assert w.grad.tolist() == [240.0] * 3
""")
