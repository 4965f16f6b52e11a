"""HTML, JavaScript, SVG, LaTeX and Markdown, for whoever looks at the outputs."""

POINTS = 0
HURTS = False
BOUNDS = "a few small outputs"
FIRST = """\
from IPython.display import HTML, SVG, Javascript, Latex, Markdown, display

display(HTML("<script id='hostile'>alert(1)</script><img src=x onerror=alert(1)>"))
display(Javascript("alert(1)"), Latex("$\\\\href{javascript:alert(1)}{x}$"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'></svg>"))
display(Markdown("<script id='hostile'>alert(1)</script>"))
widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}
display({**widget, "text/plain": "<script id='hostile'>"}, raw=True)
print("<script id='hostile'>alert(1)</script>")
"""
