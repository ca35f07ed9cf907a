"""Controls: OSC, MIDI and keys, through a pure mapping step."""
