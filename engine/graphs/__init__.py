"""Networks that never change as graphs of OpenVINO: what a processor computes of them in single precision.

OpenVINO fuses what lies between convolutions into them and prepares each once. Torch's calls cost about as much as a
small convolution each. Without OpenVINO torch computes the same.
"""
