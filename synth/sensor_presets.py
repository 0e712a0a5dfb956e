"""Depth cameras by name. Where a figure has a publication it is named; the rest is by eye.

The publications were read as abstracts and citations, not in full: check a figure before you rely
on it.
"""

from dataclasses import replace

from faces.errors import BadInput
from synth.sensor import SensorSettings

CLEAN = SensorSettings()

# Colour of a cheap camera; by eye against phone and webcam pictures.
_COLOR = SensorSettings(
    misaligned_px=1.5,
    exposure=0.15,
    white_balance=0.02,
    vignetting=0.15,
    lens_px=0.5,
    electrons=5000.0,
    read_electrons=6.0,
    sharpening=0.5,
    jpeg=(88, 97),
)

# Kinect for Xbox 360. σ_z = 1.425e-5 cm⁻¹·z² and a depth step of 2.85e-5 cm⁻¹·z² from half a
# step of its disparity: Khoshelham and Oude Elberink, "Accuracy and Resolution of Kinect Depth
# Data for Indoor Mapping Applications", Sensors 12 (2012), 1437–1454. Lateral noise of about
# 0.8 px and loss at grazing angles: Nguyen, Izadi and Lovell, "Modeling Kinect Sensor Noise for
# Improved 3D Reconstruction and Tracking", 3DIMPVT 2012 (its edges' σ; half of it, since that
# holds for a step's outline). Projector 75 mm beside the camera.
STRUCTURED_LIGHT = replace(
    _COLOR,
    depth_noise_per_mm2=1.425e-6,
    noise_grain_px=0.8,
    disparity_step_per_mm=2.85e-6,
    lateral_px=0.4,
    grazing_cos=0.3,
    baseline_mm=75.0,
    jump_loss=0.5,
    dark=0.035,
    holes=3,
    spikes=2e-4,
)

# Azure Kinect: flying pixels at edges and loss on dark hair as Tölgyessy et al., "Evaluation of
# the Azure Kinect and Its Comparison to Kinect V1 and Kinect V2", Sensors 21 (2021), 413, show
# them; steps of 1 mm and no baseline, as the device has. σ is chosen to stay far within the
# ≤ 17 mm that its maker states and they confirm: 1.0 mm at 0.7 m.
TOF = replace(
    _COLOR,
    depth_noise_mm=0.5,
    depth_noise_per_mm2=1.0e-6,
    noise_grain_px=0.5,
    depth_step_mm=1.0,
    lateral_px=0.3,
    grazing_cos=0.2,
    jump_mm=20.0,
    jump_loss=0.2,
    flying=0.5,
    dark=0.05,
    holes=1,
    spikes=5e-5,
)

# Active stereo as RealSense D415: σ_z = z²·s/(f·b), the rule of Intel's "Best-Known-Methods for
# Tuning Intel RealSense D400 Depth Cameras", with a subpixel error s of 0.08 px, f = 665 px
# (848 px across 65°) and b = 55 mm: 2.19e-6 /mm. Its disparity comes in 1/32 px: 8.5e-7 /mm.
STEREO = replace(
    _COLOR,
    depth_noise_per_mm2=0.08 / (665 * 55),
    noise_grain_px=2.0,
    disparity_step_per_mm=1 / 32 / (665 * 55),
    lateral_px=0.3,
    grazing_cos=0.25,
    baseline_mm=-55.0,
    jump_loss=0.3,
    flying=0.2,
    dark=0.02,
    holes=2,
    spikes=3e-4,
)

# TrueDepth: accuracies "in the millimeter range", Breitbarth et al., "Measurement accuracy and
# dependence on external influences of the iPhone X TrueDepth sensor", Proc. SPIE 11144 (2019).
# σ and steps within that are chosen: 0.5 mm at 0.5 m; its maps are smooth, and wrong together.
TRUEDEPTH = replace(
    _COLOR,
    depth_noise_mm=0.2,
    depth_noise_per_mm2=1.2e-6,
    noise_grain_px=2.5,
    disparity_step_per_mm=6.0e-7,
    lateral_px=0.2,
    grazing_cos=0.2,
    baseline_mm=27.0,
    jump_loss=0.15,
    flying=0.3,
    dark=0.03,
    holes=1,
    misaligned_px=0.7,
    jpeg=(0, 0),
)

# A studio or hand-held structured-light scanner, whose makers state points to 0.1 mm or so.
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
