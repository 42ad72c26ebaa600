import Glibc

enum HostName {
    /// The name of this host or container; `weir` if it has none.
    static var current: String {
        // HOST_NAME_MAX is 64 on Linux (gethostname(2)), and the end is not written if the name is as long.
        var name = [UInt8](repeating: 0, count: 65)
        let result = name.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { gethostname($0, text.count - 1) }
            }
        }
        let text = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        return result == 0 && !text.isEmpty ? text : "weir"
    }
}
