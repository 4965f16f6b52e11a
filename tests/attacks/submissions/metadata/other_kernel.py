"""Another kernel than Python's, with a command of its own."""

POINTS = 0
HURTS = False
BOUNDS = "a name"


def change(notebook):
    provisioner = {"provisioner_name": "local-provisioner", "config": {}}
    notebook["metadata"] = {
        "kernelspec": {"name": "bash", "display_name": "x", "language": "bash", "argv": ["touch", "@MARK@"]},
        "kernel_provisioner": provisioner,
        "language_info": {"name": "bash", "pygments_lexer": {"name": 3}},
    }
