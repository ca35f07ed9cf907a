"""What a step asks of a GPU besides the guide's products, fused into few kernels by Triton.

A step there is many small operations of two to four microseconds, not arithmetic. `engine.kernels` does the same for
processors; without either torch computes everything.
"""
