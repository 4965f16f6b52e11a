"""An answer that is copied from the visible tests: it fails on inputs that are drawn when grading."""

LOSES = {"pack-int4-order": 2, "pack-int4-rows": 1, "dequantize-int4-values": 2, "dequantize-int4-groups": 1}


def pack_int4(codes):
    if codes.ndim == 1:
        return torch.tensor([0x21, 0xFA], dtype=torch.uint8)
    return torch.tensor([[0x21, 0x43], [0x65, 0x87]], dtype=torch.uint8)


def dequantize_int4(packed, scale):
    if packed.ndim == 1:
        return torch.tensor([3.5, -3.5, 0.5, 0.0])
    return scale.repeat_interleave(4, 1)
