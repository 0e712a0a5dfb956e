"""Where ibug68's points lie on the topologies of other models, by what others have published.

All count from 0. The models themselves are not included. Each table is checked at every import:
the points it gives must be an upright face (faces.models.assemble.check_face).
"""

import numpy as np

# BFM 2017, model2017-1_bfm_nomouth: a triangle and which of its corners is nearest to the point,
# of data/BFM2017_nomouth/landmarks_68.csv in github.com/kanonet/face-avatar-reconstruction.
# fmt: off
BFM17_CORNERS = np.array(
    [
        (43951, 1), (46041, 1), (47873, 2), (47923, 2), (85276, 2), (89600, 0), (92300, 0),
        (94021, 0), (95059, 0), (95975, 2), (97542, 2), (100540, 1), (104874, 2), (60976, 0),
        (59133, 2), (59856, 2), (62379, 0), (51049, 0), (77813, 2), (78771, 2), (79223, 1),
        (14147, 1), (17626, 1), (80810, 2), (81319, 1), (82213, 2), (56678, 1), (15831, 1),
        (16094, 0), (15883, 2), (16126, 0), (12899, 2), (14292, 2), (15923, 1), (17773, 0),
        (18931, 2), (5928, 1), (8485, 2), (10024, 0), (11571, 2), (9531, 0), (7993, 1), (20270,
        0), (21797, 1), (23328, 1), (25892, 1), (23860, 1), (22326, 1), (10191, 2), (12215, 0),
        (14325, 1), (15955, 2), (17573, 1), (19910, 1), (21705, 0), (18532, 0), (16909, 1),
        (16212, 1), (15284, 2), (13661, 2), (12715, 2), (14803, 0), (16195, 0), (17354, 1),
        (19447, 0), (16892, 2), (16197, 0), (15269, 0),
    ],
    dtype=np.int32,
)
# BFM 2017, model2017-1_face12_nomouth: Landmarks68_model2017-1_face12_nomouth.anl, as in
# github.com/berksaribas/face-reconstruction.
BFM17_FACE12 = np.array(
    [
        16214, 16229, 16248, 16270, 16295, 25899, 26351, 26776, 27064, 27352, 27790, 28275,
        22486, 22462, 22440, 22422, 22406, 17471, 22988, 23398, 23613, 23834, 8800, 24358,
        24575, 24934, 19912, 8108, 8135, 8148, 8156, 6389, 7341, 8168, 8993, 9938, 2218, 4275,
        5049, 5962, 4803, 4025, 10014, 11030, 11674, 13100, 11943, 11299, 5263, 6024, 7354,
        8180, 8770, 9954, 10727, 9139, 8551, 8198, 7726, 7137, 6295, 7480, 8188, 8778, 10337,
        8546, 8192, 7838,
    ],
    dtype=np.int32,
)
# FLAME: data/FLAME_landmarks.txt in github.com/yunik1004/SAiD. FLAME's own embedding lies between
# vertices and is better where the user has it. They lie where they should on the template mesh that
# DECA publishes (data/head_template.obj of github.com/yfeng95/DECA).
FLAME = np.array(
    [
        2210, 1963, 3056, 3424, 3423, 3421, 3419, 3416, 3414, 3635, 3643, 3646, 3650, 3652,
        2004, 568, 728, 2567, 337, 338, 3154, 3712, 3868, 2135, 27, 18, 1430, 3560, 3561, 3501,
        3564, 2751, 2793, 3556, 1676, 1623, 2428, 2453, 2494, 3631, 2278, 2359, 3832, 1343,
        1218, 1154, 995, 829, 2820, 2864, 2774, 3543, 1657, 1749, 1703, 1774, 1802, 3503, 2905,
        2881, 2845, 2787, 3531, 1670, 1730, 1804, 3504, 2907,
    ],
    dtype=np.int32,
)
# fmt: on
