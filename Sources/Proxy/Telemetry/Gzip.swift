import CZlib

extension [UInt8] {
    /// These bytes in gzip (RFC 1952); `nil` if there is no memory for it.
    func gzip() -> [UInt8]? {
        let room = weir_gzip_bound(count)
        let compressed = [UInt8](unsafeUninitializedCapacity: room) { target, length in
            length = weir_gzip(self, count, target.baseAddress, room)
        }
        return compressed.isEmpty ? nil : compressed
    }
}
