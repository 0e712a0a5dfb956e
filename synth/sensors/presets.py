"""Depth cameras by name, a source beside each constant.

"Compared" means that the figure was held against the text or the authors' own code named there.
"Estimate" means that no source could be read that gives it; it is set by eye or from what the
device must do.
"""

from dataclasses import replace

from faces.errors import BadInput
from synth.sensors.sensor import SensorSettings

CLEAN = SensorSettings()

# Colour of a cheap camera: all estimates, by eye against phone and webcam pictures.
_COLOR = SensorSettings(
    misaligned_px=1.5,  # "a pixel or two" between two calibrated cameras
    exposure=0.15,
    white_balance=0.02,  # after automatic white balance
    vignetting=0.15,
    lens_px=0.6,
    electrons=7000.0,  # a few 1000 a photodiode indoors, four diodes a pixel
    read_electrons=4.0,
    sharpening=0.4,
    jpeg=(88, 97),
)

# Kinect for Xbox 360.
# [K] Khoshelham and Oude Elberink, "Accuracy and Resolution of Kinect Depth Data for Indoor
#     Mapping Applications", Sensors 12 (2012), 1437–1454.
# [H] Handa, Whelan, McDonald and Davison, "A Benchmark for RGB-D Visual Odometry, 3D
#     Reconstruction and SLAM", ICRA 2014, with the noise of Barron and Malik, CVPR 2013: as the
#     first author's own program has it.
# [N] Nguyen, Izadi and Lovell, "Modeling Kinect Sensor Noise for Improved 3D Reconstruction and
#     Tracking", 3DIMPVT 2012: as programs quote it, σ_z = 1.2 + 1.9e-6·(z − 400)² mm and
#     σ_L = 0.8 + 0.035·θ/(π/2 − θ) px.
STRUCTURED_LIGHT = replace(
    _COLOR,
    # [K] σ_z = z²·m/(f·b)·σ_d with σ_d half a step: half of the constant below. Compared with its
    # abstract, "about 4 cm at the maximum range": 36 mm at 5 m. [N] has 1.4 mm at 0.7 m, with what
    # quantisation adds; here 0.70 mm and, with the steps' 0.40 mm, 0.81 mm.
    depth_noise_per_mm2=1.425e-6,
    # steps of 1/z. Compared with [H]: 1/35130 a cm; and 1/8 px at f = 585 px, b = 75 mm is 2.85e-6
    disparity_step_per_mm=2.85e-6,
    lateral_px=0.5,  # compared with [H]: 1/2 px; [N]'s 0.8 px is a step's outline, all in all
    baseline_mm=75.0,  # compared with [H]: 0.075 m; its side is an estimate
    noise_grain_px=0.8,  # estimate
    nearest_mm=400.0,  # estimate
    grazing_cos=0.3,  # estimate: from 73°; [N]'s lateral noise rises steeply from there
    jump_loss=0.5,  # estimate
    dark=0.035,  # estimate
    holes=3,  # estimate
    spikes=2e-4,  # estimate
)

# Azure Kinect in its narrow unbinned mode.
# [M] Microsoft, "Azure Kinect DK hardware specifications", table of depth modes.
# [T] Tölgyessy, Dekan, Chovanec and Hubinský, "Evaluation of the Azure Kinect and Its Comparison
#     to Kinect V1 and Kinect V2", Sensors 21 (2021), 413.
# [B] BlenderProc (Denninger et al., JOSS 8, 2023), whose noise for this camera is drawn from [T]:
#     0.5 mm at 0.5 m, 1 mm at 1 m.
TOF = replace(
    _COLOR,
    # compared with [B]: these two give its 0.5 mm at 0.5 m and 1.0 mm at 1 m, but 6.3 for its 3.6
    # at 3 m, beyond any face; within the ≤ 17 mm of [M], which [T]'s abstract confirms
    depth_noise_mm=1 / 3,
    depth_noise_per_mm2=2 / 3 * 1e-6,
    lateral_px=0.25,  # compared with [B]
    depth_step_mm=1.0,  # compared with Microsoft's depth camera page: z "in units of millimeters"
    nearest_mm=250.0,  # compared with [M]: 0.5 m, 0.25 m in the wide mode, and depth "may be
    # provided outside" of it
    noise_grain_px=0.5,  # estimate
    grazing_cos=0.2,  # estimate
    jump_mm=20.0,  # estimate
    jump_loss=0.2,  # estimate
    flying=0.5,  # estimate; that there are such pixels, [T]'s abstract says
    dark=0.05,  # estimate
    holes=1,  # estimate
    spikes=5e-5,  # estimate
)

# RealSense D415 at 848×480. Intel's rule σ_z = z²·s/(f·b): Grunnet-Jepsen, Sweetser and Woodfill,
# "Best-Known-Methods for Tuning Intel RealSense D400 Depth Cameras". Its authors' answers in
# librealsense's issues by number.
# compared with Grunnet-Jepsen et al., "Subpixel Linearity Improvement", which gives 65° for D415
_FOCAL_PX = 848 / 2 / 0.63707  # tan 32.5°
_BASE_MM = 55.0  # estimate, from memory of the datasheet
STEREO = replace(
    _COLOR,
    depth_noise_per_mm2=0.08 / (_FOCAL_PX * _BASE_MM),  # compared: s ≈ 0.08 px, issue 3904
    # compared: 5 bits of disparity in the R200 (Keselman et al., CVPR Workshops 2017, as issue
    # 1910 quotes it); taken to hold for its successor
    disparity_step_per_mm=1 / 32 / (_FOCAL_PX * _BASE_MM),
    depth_step_mm=1.0,  # compared: the default unit, issues 999 and 13085
    nearest_mm=_FOCAL_PX * _BASE_MM / 126,  # compared: 126 px of disparity, realsense-ros 2367
    baseline_mm=_BASE_MM,  # the right imager, right as the camera looks: issue 3662
    noise_grain_px=2.0,  # estimate
    lateral_px=0.3,  # estimate
    grazing_cos=0.25,  # estimate
    jump_loss=0.3,  # estimate
    flying=0.2,  # estimate
    dark=0.02,  # estimate
    holes=2,  # estimate
    spikes=3e-4,  # estimate
)

# TrueDepth. The one source read, "accuracies in the millimeter range", bounds these and gives
# none: Breitbarth et al., "Measurement accuracy and dependence on external influences of the
# iPhone X TrueDepth sensor", Proc. SPIE 11144 (2019), abstract.
TRUEDEPTH = replace(
    _COLOR,
    depth_noise_mm=0.2,  # estimate: with the next, 0.5 mm at 0.5 m
    depth_noise_per_mm2=1.2e-6,  # estimate
    noise_grain_px=2.5,  # estimate: its maps are smooth, and wrong together
    disparity_step_per_mm=6.0e-7,  # estimate
    nearest_mm=150.0,  # estimate
    lateral_px=0.2,  # estimate
    grazing_cos=0.2,  # estimate
    baseline_mm=27.0,  # estimate
    jump_loss=0.15,  # estimate
    flying=0.3,  # estimate
    dark=0.03,  # estimate
    holes=1,  # estimate
    misaligned_px=0.7,  # estimate
    electrons=15000.0,  # estimate: several frames are merged
    jpeg=(0, 0),
)

# A studio or hand-held structured-light scanner. All estimates: the makers' sheets (Minolta Vivid
# 910, Artec, 3dMD) could not be read; they are taken to state points to 0.1 mm or so.
SCANNER = SensorSettings(
    depth_noise_mm=0.08,
    depth_noise_per_mm2=4.0e-8,
    noise_grain_px=0.6,
    depth_step_mm=0.05,
    grazing_cos=0.15,
    baseline_mm=120.0,
    jump_loss=0.3,
    dark=0.04,
    misaligned_px=0.3,
    exposure=0.05,
    white_balance=0.01,
    lens_px=0.4,
    electrons=20000.0,
    read_electrons=6.0,
)

PRESETS = {
    "clean": CLEAN,
    "structured-light": STRUCTURED_LIGHT,
    "tof": TOF,
    "stereo": STEREO,
    "truedepth": TRUEDEPTH,
    "scanner": SCANNER,
}


def sensor(name: str) -> SensorSettings:
    """The settings of a named sensor.

    Raises:
        BadInput: there is none of this name.
    """
    if name not in PRESETS:
        raise BadInput(f"sensor '{name}'", "unknown", f"one of {', '.join(PRESETS)}", "choose one")
    return PRESETS[name]
