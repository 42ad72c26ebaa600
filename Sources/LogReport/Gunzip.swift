import CZlib

/// Decompresses gzip (RFC 1952), piece by piece, through all members of a file.
struct Gunzip: ~Copyable {
    enum Failure: Error { case damaged }

    private let handle: OpaquePointer
    private var room: [UInt8]
    /// Whether no member is open, so that the file may end here.
    private(set) var isBetweenMembers = false
    /// Whether the bytes after the last member are ignored because they are no further member, as gzip does: tapes pad.
    private var isIgnoring = false

    /// A decompressor for the beginning of a file; `nil` if there is no memory for it.
    init?() {
        guard let handle = weir_gunzip_open() else { return nil }
        self.handle = handle
        room = Array(repeating: 0, count: 1 << 18)
    }

    deinit { weir_gunzip_close(handle) }

    /// Takes the next bytes of the file and passes on the decompressed bytes, in pieces of at most 256 KiB.
    mutating func push(
        _ chunk: UnsafeRawBufferPointer, bytes: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) {
        var remaining = chunk.count
        while !isIgnoring {
            let taken = chunk.count - remaining
            if isBetweenMembers {
                guard remaining > 0 else { return }
                isIgnoring = chunk[taken] != 0x1F
                isBetweenMembers = isIgnoring
                continue
            }
            guard try step(UnsafeRawBufferPointer(rebasing: chunk[taken...]), remaining: &remaining, bytes: bytes)
            else { return }
        }
    }

    /// Returns whether there are more bytes to decompress.
    private mutating func step(
        _ chunk: UnsafeRawBufferPointer, remaining: inout Int, bytes: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) -> Bool {
        var remainingRoom = room.count
        let state = room.withUnsafeMutableBufferPointer { room in
            weir_gunzip_step(
                handle, chunk.assumingMemoryBound(to: UInt8.self).baseAddress, &remaining, room.baseAddress,
                &remainingRoom)
        }
        let made = room.count - remainingRoom
        room.withUnsafeBytes { bytes(UnsafeRawBufferPointer(rebasing: $0[..<made])) }
        guard state != weir_gunzip_damaged else { throw .damaged }
        isBetweenMembers = state == weir_gunzip_member_ended
        return remaining > 0 || remainingRoom == 0
    }
}
