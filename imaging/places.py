"""Places on surfaces, a few dozen at a time: what the rows of a block hold.

A block is one array of float32 and one of int32, rows one after another, a number a place in each.
Their length is fixed, so that compilers know that rows do not overlap and turn the loops over them
into vector instructions. For the same reason a row's place in the array is a constant everywhere.
"""

BLOCK = 128  # places: with all rows two thirds of a core's nearest cache
# Normals are in axes x right, y up, z to the camera; X and Y pixels, Z mm.
NX, NY, NZ, U, V, SPREAD, X, Y, Z, R, G, B = (k * BLOCK for k in range(12))
INCIDENCE, LAMP, COSINE, SHINE = (k * BLOCK for k in range(12, 16))
SHARES, WEIGHT, AREA = 16 * BLOCK, 19 * BLOCK, 20 * BLOCK  # of a triangle's corners; of a pixel
FLOATS = 21 * BLOCK
# Whole numbers: the triangle that was drawn and the one that it is of; place in 1/256 px; pixel,
# row · W + column; of a texture's two levels each its number, row and column, and four weights.
DRAWN, OWNER, PX, PY, PIXEL, FINE, COARSE = (k * BLOCK for k in (0, 1, 2, 3, 4, 5, 12))
INTEGERS = 19 * BLOCK
