#!/usr/bin/env bash
# What a machine with an NVIDIA GPU is wanted for, in one go: the tests that need one, the bench's table, the profiler,
# a show's latency and cadence, and, if minutes are given for it, a longer training of the guide.
#
#   engine/training/gpu.sh [FOLDER FOR THE RESULTS] [MINUTES OF TRAINING] [DEVICE]
#
# Run it in a checkout with the packages installed; `.venv/bin` must come first in PATH. Nothing is downloaded: guides
# that are not shipped have random weights, which take the same time. FOLDER/table.md is the table; a run that failed
# is a row that says so, and its words are in FOLDER/*.log. Training needs the glyph cache
# training-runs/cache (glyphs-*.pt) where the emoji font is not installed.
# DEVICE cpu tries the script itself where there is no GPU, with few repeats and small settings.
set -u
out=${1:-gpu-results}
minutes=${2:-0}
device=${3:-cuda}
hd=1280x720 sixteen_nine="640x360 1920x1080" steps=10 crops=4 repeats=8
if [ "$device" = cpu ]; then hd=128x72 sixteen_nine=64x64 steps=1 crops=2 repeats=1; fi
mkdir -p "$out"

b32=random:ViT-B-32
b16=random:ViT-B-16

say() { echo "gpu.sh: $*" >&2; }

# run NAME OPTIONS: one row of the table, within three minutes; torch's compiler takes one of them. The canvas is shown as it is: upscale=1.
run() {
  name=$1
  shift
  say "$name"
  timeout 180 python -m vj bench engine --json --device "$device" --steps "$steps" --crops "$crops" --repeats "$repeats" \
    --set upscale=1 "$@" >"$out/$name.json" 2>"$out/$name.log" || say "$name failed: $(tail -n 1 "$out/$name.log")"
}

{ nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || echo "no NVIDIA GPU"; } \
  2>/dev/null | tee "$out/gpu.txt"

say "tests"
timeout 300 python -m pytest -q tests/test_engine_cuda*.py tests/test_engine_steps.py tests/test_guide_*.py >"$out/tests.log" 2>&1
say "tests: $(tail -n 1 "$out/tests.log")"

run b32 --guide "$b32" --size "$hd" --profile "$out/b32-profile.txt"
run b16-b32 --guide "$b16+$b32" --size "$hd"
run mobileclip2-s0 --guide random:MobileCLIP2-S0 --size "$hd"
run shipped --guide shipped --size "$hd" --profile "$out/shipped-profile.txt"
for size in $sixteen_nine; do
  run "b32-$size" --guide "$b32" --size "$size"
  run "shipped-$size" --guide shipped --size "$size"
done
run shipped-live --guide shipped --steps 2 --set upscale=2
if [ "$device" = cuda ]; then
  run b32-compiled --guide "$b32" --size "$hd" --compile --profile "$out/b32-compiled-profile.txt"
  run shipped-compiled --guide shipped --size "$hd" --compile
  run b32-6gb --guide "$b32" --size "$hd" --vram 6
fi

rows="b32 b16-b32 mobileclip2-s0 shipped"
for size in $sixteen_nine; do rows="$rows b32-$size shipped-$size"; done
rows="$rows shipped-live"
if [ "$device" = cuda ]; then rows="$rows b32-compiled shipped-compiled b32-6gb"; fi
# shellcheck disable=SC2086 # the names hold no spaces
(cd "$out" && PYTHONPATH="$OLDPWD${PYTHONPATH:+:$PYTHONPATH}" python -m engine.bench.table \
  $(printf '%s.json ' $rows)) >"$out/table.md"
cat "$out/table.md"

if [ "$device" = cuda ]; then
  say "a show at $hd: latency, cadence, memory"
  timeout 420 python -m vj bench latency cadence memory --json --device cuda --size "$hd" --encode >"$out/show.json" 2>"$out/show.log" ||
    say "the show failed: $(tail -n 1 "$out/show.log")"
fi

if [ "$minutes" != 0 ]; then
  python -m engine.training.guide --device cuda --batch 512 --rate 2e-3 --minutes "$minutes" --out "$out/guide.safetensors" |
    tee "$out/training.log"
  python -m engine.training.sheet --guide "$out/guide.safetensors" --out "$out/sheet.png"
fi
