"""Media of contacts: what they become (`plan`), how (`transcode`), and the job that does it (`job`).

| module | does |
|---|---|
| `job` | one job: threads, processes, journal |
| `deliver` | one contact: find, judge, copy or hand over |
| `plan`, `formats` | pure decisions: which files, made how |
| `sources`, `transfer`, `throttle` | find a stored file, read it once and not faster than allowed, send it |
| `sniff`, `containers/` | what the first and last bytes tell |
| `pool`, `worker`, `conversion` | converting processes and what is said to them |
| `probe`, `transcode`, `audio_track`, `video_track`, `encoders` | PyAV, in those processes only |
| `faults` | what can be wrong with a file; limits |
"""
