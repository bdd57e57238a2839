import TestServers

/// A line of pieces that are plain, to be escaped, of other scripts, or broken.
func randomLine(_ count: Int, using random: inout SplitMix64) -> [UInt8] {
    let pieces: [[UInt8]] = [
        Array("GET /index.html".utf8), Array("\"\\/\t\u{8}\u{c}\r\u{1}\u{1f}\u{7f}".utf8), Array("äß€𝄞漢\u{2028}".utf8),
        [0xc3], [0x80], [0xe2, 0x82], [0xf0, 0x9f, 0x92], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0xaf],
        [0],
    ]
    var line: [UInt8] = []
    while line.count < count { line += pieces.randomElement(using: &random) ?? [] }
    return Array(line.prefix(count))
}
