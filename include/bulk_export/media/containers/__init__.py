"""The first and last bytes of each container, without a media library.

| module | reads |
|---|---|
| `wav` | WAV, RF64, BW64 |
| `mp3` | MPEG audio |
| `ogg` | Ogg |
| `ebml` | WebM and Matroska |
| `mp4` | MP4 and QuickTime |
| `asf` | WMV and WMA |
| `codec_name` | the names of codecs that no library knows |
| `sniffed` | nothing: what all of them return |
"""
