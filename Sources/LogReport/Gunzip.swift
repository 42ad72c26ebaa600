import CZlib

/// Undoes gzip (RFC 1952), piece by piece, over all the members that a file holds one behind the other.
struct Gunzip: ~Copyable {
    enum Failure: Error { case damaged }

    private let handle: OpaquePointer
    private var room: [UInt8]
    /// Nothing is open: the file may end here.
    private(set) var isBetweenMembers = false
    /// What stands behind the last member and is no further one is passed over, as gzip does: tapes pad.
    private var isPassingOver = false

    /// Makes one for the beginning of a file; `nil` where there is no memory for it.
    init?() {
        guard let handle = weir_gunzip_open() else { return nil }
        self.handle = handle
        room = Array(repeating: 0, count: 1 << 18)
    }

    deinit { weir_gunzip_close(handle) }

    /// Takes the next bytes of the file and tells what they stand for, in pieces of at most 256 KiB.
    mutating func push(
        _ chunk: UnsafeRawBufferPointer, bytes: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) {
        var left = chunk.count
        while !isPassingOver {
            let taken = chunk.count - left
            if isBetweenMembers {
                guard left > 0 else { return }
                isPassingOver = chunk[taken] != 0x1F
                isBetweenMembers = isPassingOver
                continue
            }
            guard try step(UnsafeRawBufferPointer(rebasing: chunk[taken...]), left: &left, bytes: bytes) else { return }
        }
    }

    /// Returns whether there is more to be done with what has come.
    private mutating func step(
        _ chunk: UnsafeRawBufferPointer, left: inout Int, bytes: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) -> Bool {
        var roomLeft = room.count
        let state = room.withUnsafeMutableBufferPointer { room in
            weir_gunzip_step(
                handle, chunk.assumingMemoryBound(to: UInt8.self).baseAddress, &left, room.baseAddress, &roomLeft)
        }
        let made = room.count - roomLeft
        room.withUnsafeBytes { bytes(UnsafeRawBufferPointer(rebasing: $0[..<made])) }
        guard state != weir_gunzip_damaged else { throw .damaged }
        isBetweenMembers = state == weir_gunzip_member_ended
        return left > 0 || roomLeft == 0
    }
}
