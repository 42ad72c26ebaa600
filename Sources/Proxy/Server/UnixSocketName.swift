import Glibc

/// The name of a unix socket (unix(7)): a path, or, if it begins with NUL, a name in the abstract namespace.
struct UnixSocketName {
    private var address = sockaddr_un()
    private let length: socklen_t

    /// - Parameter name: The bytes of the name; `nil` is returned if it is empty or longer than the kernel allows.
    init?(_ name: some Collection<UInt8>) {
        let size = MemoryLayout<sockaddr_un>.size, start = size - MemoryLayout.size(ofValue: address.sun_path)
        // A path ends with NUL; an abstract name has every byte of its length (unix(7)).
        let end = start + name.count + (name.first == 0 ? 0 : 1)
        guard !name.isEmpty, end <= size else { return nil }
        length = socklen_t(end)
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    }

    /// Connects a socket to this name (connect(2)).
    ///
    /// - Returns: Whether it is connected; if not, `errno` has the reason.
    func connect(_ descriptor: CInt) -> Bool { withSocketAddress { Glibc.connect(descriptor, $0, $1) == 0 } }

    /// Gives a socket this name (bind(2)).
    ///
    /// - Returns: Whether it has the name; if not, `errno` has the reason.
    func bind(_ descriptor: CInt) -> Bool { withSocketAddress { Glibc.bind(descriptor, $0, $1) == 0 } }

    private func withSocketAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        withUnsafePointer(to: address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
