"""Media of contacts: what they become, and the job that does it.

| module | does |
|---|---|
| `job` | one job, on the core in `bulk_export.jobs` |
| `contact_media` | one contact: find, judge, copy or convert |
| `plan` | pure decisions: which files, made how |
| `transfer` | read a stored file once, send it |
| `throttle` | no faster than allowed |
| `sniff`, `containers/` | what the first and last bytes say |
| `doubts` | whether a file delivered as stored is proven whole |
| `stored_extension` | the file name extension of a file delivered as stored |
| `faults` | what can be wrong with a file; limits |
| `pool` | converting processes |
| `conversion` | request and answer of one |
| `worker` | the program it runs |
| `convert`, `remarks` | makes one file there; what is said of it |
| `probe`, `feed` | PyAV reads, in those processes only |
| `transcode`, `audio_track`, `audio_mix`, `video_track`, `lame` | PyAV and LAME write, likewise |

The formats are in `bulk_export.formats`.
"""
