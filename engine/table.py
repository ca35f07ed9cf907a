"""The rows of the one table of parameters, in the order of the screen. Standard library only."""

from engine.parameter import Parameter, choice, number, switch, text, trigger, whole

SLOTS = 8

REGIONS = ("whole", "left", "right", "top", "bottom", "centre", "edge")


def _slots() -> list[Parameter]:
    rows: list[Parameter] = []
    for n in range(1, SLOTS + 1):
        rows.append(text(f"prompt_{n}", "prompts", f"text of slot {n}"))
        rows.append(number(f"weight_{n}", "prompts", 0.0, -2.0, 2.0, f"weight of slot {n}; negative pushes away"))
        rows.append(choice(f"region_{n}", "prompts", REGIONS, f"part of the picture that slot {n} owns"))
    return rows


# The defaults are the `live` preset's values, so that a show without any preset file is playable.
ROWS: tuple[Parameter, ...] = (
    number("lyrics", "prompts", 1.0, 0.0, 2.0, "weight of the sung line against the slots"),
    *_slots(),
    choice("blend_shape", "prompts", ("hold", "linear"), "a line holds, then crosses over; or blends all along"),
    number("lead", "prompts", 0.0, 0.0, 10.0, "how far the picture's lines run ahead of the song", "s"),
    text("prompt_picture", "prompts", "file of a picture to be painted where it lies, covering the canvas"),
    number("picture_weight", "prompts", 1.0, -2.0, 2.0, "weight of that picture; negative pushes away"),
    text("style_picture", "prompts", "file of a picture whose colours and strokes the picture is painted in"),
    number("style_weight", "prompts", 0.5, 0.0, 1.0, "weight of that style"),
    number("no_words", "prompts", 0.0, 0.0, 1.0, "weight of pushing painted words away; the shipped guide paints none"),
    text("source", "prompts", "picture or video the picture is held to, or camera, camera:1, device:FORMAT:NAME"),
    number("source_weight", "prompts", 0.5, 0.0, 1.0, "how closely the picture is held to the source"),
    trigger("start_from_source", "prompts", "start the canvas from the source's newest picture"),
    number("temperature", "picture", 35.0, 0.0, 100.0, "low holds the picture still, high changes everything"),
    choice("temperature_law", "picture", ("live", "paper"), "how temperature sets stability and noise"),
    number("temperature_scale", "picture", 1.0, 0.0, 1.0, "factor on temperature; the paper's fast setting halves it"),
    choice("canvas", "picture", ("pyramid", "pixels", "fourier"), "what is optimised: several sizes, pixels, or waves"),
    whole("canvas_width", "picture", 256, 64, 3840, "width of the canvas; the program scales it", "px"),
    whole("canvas_height", "picture", 144, 64, 2160, "height of the canvas; the program scales it", "px"),
    whole("steps", "picture", 2, 1, 50, "optimisation steps for each frame"),
    whole("first_steps", "picture", 12, 1, 200, "optimisation steps for the first frame"),
    whole("crops", "picture", 4, 1, 64, "random views the guide sees in each step"),
    choice("distance", "picture", ("cosine", "spherical"), "how far a view is from its prompts; the paper's is cosine"),
    number("overview", "picture", 0.5, 0.0, 1.0, "share of the views that show the whole picture"),
    number("crop_low", "picture", 1.0, 0.05, 1.0, "smallest inner view, as a share of the picture's area"),
    number("crop_high", "picture", 1.0, 0.05, 1.0, "largest inner view, as a share of the picture's area"),
    number("ends", "picture", 1.0, 0.0, 1.0, "share of the inner views that lie at an end of the picture"),
    number("aspect", "picture", 1.03, 1.0, 2.0, "how much longer than its other side an inner view may be"),
    number("squeeze", "picture", 2.0, 1.0, 4.0, "how much wider than a square an overview may be"),
    number("perspective", "picture", 0.0, 0.0, 1.0, "how far views are tilted"),
    number("overhang", "picture", 0.03, 0.0, 0.5, "how far views may hang over the border"),
    choice("beyond", "picture", ("mirror", "white"), "what views see beyond the border; the paper's see white"),
    number("learning_rate", "picture", 0.05, 0.001, 1.0, "size of one optimisation step"),
    choice("optimizer", "picture", ("level", "adam"), "steps of the pyramid: in proportion on each level, or Adam's"),
    switch("keep_optimizer", "picture", True, "keep the optimiser's state from frame to frame"),
    whole("show_step", "picture", 0, 0, 200, "step whose picture is shown; 0 is the last"),
    whole("carry_step", "picture", 0, 0, 200, "step whose picture the next frame starts from; 0 is the last"),
    number("stability", "picture", 1.0, 0.0, 20.0, "weight of holding still at temperature 0 (w_c)"),
    whole("stability_every", "picture", 1, 1, 50, "steps between two that hold still"),
    number("noise", "picture", 0.05, 0.0, 2.0, "noise added to each new frame at temperature 100"),
    number("smoothness", "picture", 0.03, 0.0, 5.0, "weight of smooth surfaces (total variation)"),
    choice("guide_mix", "picture", ("alternate", "sum"), "several guides: one after the other by step, or together"),
    text("guide", "picture", "guides by name, joined with +; empty: those the show began with"),
    *(number(f"guide_weight_{n}", "picture", 1.0, 0.0, 2.0, f"weight of guide {n}, of several") for n in range(1, 5)),
    choice("denoiser", "picture", ("shipped", "edges", "none", "cyclegan"), "what cleans each finished picture"),
    number("denoise", "picture", 1.0, 0.0, 1.0, "strength of the denoiser"),
    whole("upscale", "picture", 2, 1, 2, "how many times larger the denoiser makes the picture"),
    text("denoiser_weights", "picture", "cyclegan's weights: a file, or a name in the library"),
    number("engine_fps", "picture", 30.0, 1.0, 60.0, "frames a second asked of the engine", "fps"),
    switch("governor", "picture", True, "spend fewer steps and crops rather than miss engine_fps"),
    trigger("reroll", "picture", "start the canvas afresh from noise, left and right exchanged"),
    number("reroll_s", "picture", 2.0, 0.0, 30.0, "time in which the new canvas grows into the old one", "s"),
    trigger("kick", "picture", "shake the picture with noise once"),
    number("zoom", "motion", 0.0, -2.0, 2.0, "speed into the picture; 1 doubles it each second", "octaves/s"),
    number("pan_x", "motion", 0.0, -1.0, 1.0, "speed to the right", "widths/s"),
    number("pan_y", "motion", 0.0, -1.0, 1.0, "speed upward", "widths/s"),
    number("turn", "motion", 0.0, -180.0, 180.0, "turning of the picture, clockwise", "°/s"),
    number("shear", "motion", 0.0, -1.0, 1.0, "sliding of the upper edge to the right against the lower", "heights/s"),
    number("swirl", "motion", 0.0, -180.0, 180.0, "turning of the middle, less further out", "°/s"),
    number("flow", "motion", 0.0, 0.0, 0.5, "drifting along currents that change slowly", "widths/s"),
    number("ease", "motion", 0.5, 0.0, 10.0, "time in which a motion follows its knob", "s"),
    choice("border", "motion", ("mirror", "wrap", "edge"), "what a motion brings in from beyond the border"),
    number("feedback", "motion", 0.0, 0.0, 1.0, "share of the picture that its own moved copy replaces each second"),
    number("feedback_zoom", "motion", 0.25, -1.0, 1.0, "how much larger that copy is", "octaves"),
    number("feedback_turn", "motion", 0.0, -180.0, 180.0, "how far that copy is turned, clockwise", "°"),
    choice("mirror", "motion", ("off", "across", "down", "both"), "the left or upper half, mirrored onto the other"),
    whole("kaleidoscope", "motion", 0, 0, 16, "segments the picture is folded into; below 2 it is off"),
    switch("beat", "motion", False, "kick on every beat"),
    number("tempo", "motion", 120.0, 30.0, 300.0, "beats a minute; tapped, or set", "bpm"),
    number("kick_amount", "motion", 0.3, 0.0, 1.0, "deviation of the noise one kick adds"),
    text("palette", "colour", "colours the picture is painted in: #102030 #ff8800, or names"),
    text("palette_picture", "colour", "file of a picture whose colours are the palette"),
    number("palette_weight", "colour", 0.5, 0.0, 5.0, "weight of the palette's colours"),
    number("brightness_pull", "colour", 0.0, -1.0, 1.0, "pull toward a light picture, or below 0 a dark one"),
    number("contrast_pull", "colour", 0.0, -1.0, 1.0, "pull toward strong contrast, or below 0 a flat picture"),
    number("saturation_pull", "colour", 0.0, -1.0, 1.0, "pull toward vivid colours, or below 0 greys"),
    number("range_pull", "colour", 0.0, 0.0, 5.0, "pull away from pure black, white and full colours"),
    number("anchor", "colour", 0.0, 0.0, 1.0, "keeping the colours a prompt began with, however long it lasts"),
    number("contrast", "colour", 1.0, 0.0, 2.0, "contrast of the program"),
    number("saturation", "colour", 1.0, 0.0, 2.0, "colourfulness of the program"),
    number("master", "program", 1.0, 0.0, 1.0, "brightness of the program"),
    number("fade", "program", 2.0, 0.0, 60.0, "length of a crossfade to a new prompt", "s"),
    number("hold", "program", 8.0, 0.0, 3600.0, "how long a prompt by hand stays at least, in a song", "s"),
    number("smooth", "program", 0.5, 0.0, 1.0, "blending of neighbouring frames in the program"),
    switch("freeze", "program", False, "hold the program still"),
    switch("blackout", "program", False, "program to black; it cuts at once"),
)  # fmt: skip
