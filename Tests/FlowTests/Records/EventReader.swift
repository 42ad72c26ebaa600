/// Reads server-sent events byte by byte, as HTML, section 9.2.6, defines: the events that a client has dispatched so far.
struct EventReader {
    private(set) var events: [String] = []
    private var line: [UInt8] = []
    private var data: [String] = []
    private var isBehindCR = false

    init(_ bytes: some Sequence<UInt8>) {
        for byte in Array(bytes).withoutByteOrderMark {
            switch byte {
            case 0x0A where isBehindCR: isBehindCR = false
            case 0x0A, 0x0D:
                isBehindCR = byte == 0x0D
                lineEnded()
            default:
                isBehindCR = false
                line.append(byte)
            }
        }
    }

    private mutating func lineEnded() {
        defer { line = [] }
        guard !line.isEmpty else {
            if !data.isEmpty { events.append(data.joined(separator: "\n")) }
            data = []
            return
        }
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0].elementsEqual("data".utf8) else { return }
        var value = parts.count > 1 ? parts[1] : []
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        data.append(String(decoding: value, as: UTF8.self))
    }
}

extension [UInt8] {
    fileprivate var withoutByteOrderMark: ArraySlice<UInt8> {
        starts(with: [0xEF, 0xBB, 0xBF]) ? self[3...] : self[...]
    }
}
