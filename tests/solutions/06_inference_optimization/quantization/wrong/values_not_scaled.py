"""Does not divide by the largest quantile."""

LOSES = {"normal-float-values-table": 2, "normal-float-values-quantiles": 1, "quantize-nf4-codes": 3}


def normal_float_values(bits=4):
    n = 2**bits
    p = 1 - (1 / (2 * n) + 1 / (2 * (n - 1))) / 2
    above = torch.special.ndtri(torch.linspace(p, 0.5, n // 2 + 1)[:-1])
    below = -torch.special.ndtri(torch.linspace(p, 0.5, n // 2)[:-1])
    values = torch.cat([below, torch.zeros(1), above])
    return (values).sort().values
