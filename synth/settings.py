"""How faces are rendered: size, framing, light, background and buffers."""

from dataclasses import dataclass, field
from typing import Literal

LightMode = Literal["fitted", "head", "random", "flat", "kept"]
BackgroundMode = Literal["own", "folder", "plain"]


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """Attributes:
    size_px: edge of the square images.
    margin: the image's edge over the longer edge of what is framed, less 1.
    framing: what is framed: "head" with scalp and ears, or the "face" region.
    light: "fitted" stays where it was in the scan while the head turns; "head" is the fitted
        light that turns with the head; "random" is drawn for every view; "flat" comes from
        everywhere alike; "kept" leaves the photo's own light in the texture and adds none.
        Virtual people have their own light for the fitted one.
    shadows: whether the mesh keeps the lamp off itself.
    background: "own" is the photo without its person, or a virtual person's room; "folder" are
        images of background_folder, cropped at random; "plain" is background_color.
    background_folder: of JPEG or PNG files, deeper folders too.
    background_color: sRGB, 0 to 255.
    texture_px: edge of a registered face's texture.
    supersample: colour samples along each pixel axis.
    renderer: back end of synth.render.renderer.
    buffers: extra images to make, of synth.renderer.BUFFERS.
    """

    size_px: int = 256
    margin: float = 0.25
    framing: Literal["head", "face"] = "head"
    light: LightMode = "fitted"
    shadows: bool = False
    background: BackgroundMode = "own"
    # no part of a set: the recipe notes what is in it
    background_folder: str = field(default="", metadata={"part": "local"})
    background_color: tuple[int, int, int] = (128, 128, 128)
    texture_px: int = 512
    supersample: int = 2
    renderer: Literal["raster", "gl", "cuda"] = "raster"
    buffers: tuple[str, ...] = ()
