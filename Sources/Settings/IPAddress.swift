#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An IPv4 or IPv6 address without port or zone.
///
/// An IPv4 address that is written inside IPv6 (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is the IPv4 address: a
/// socket that listens on `[::]` reports its IPv4 peers so.
package struct IPAddress: Hashable, Sendable {
    package enum Family: Hashable, Sendable {
        case v4, v6

        /// The length of an address of this family.
        package var bits: Int {
            switch self {
            case .v4: 32
            case .v6: 128
            }
        }
    }

    package let family: Family
    /// The address as a number; its low 32 bits for IPv4.
    package let value: UInt128

    init(family: Family, value: UInt128) { (self.family, self.value) = (family, value) }

    /// Reads `192.0.2.1` or `2001:db8::1`; `nil` for anything else, names, brackets and zones included.
    package init?(_ text: String) {
        // inet_pton would stop at a NUL and take what stands before it.
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.init(family: .v4, value: Self.number(bytes.prefix(4)))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            let value = Self.number(bytes[...])
            let isMapped = value >> 32 == 0xffff
            self.init(family: isMapped ? .v4 : .v6, value: isMapped ? value & 0xffff_ffff : value)
        } else {
            return nil
        }
    }

    /// `127.0.0.0/8` and `::1` (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3).
    package var isLoopback: Bool {
        switch family {
        case .v4: value >> 24 == 127
        case .v6: value == 1
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt128 {
        bytes.reduce(0) { value, byte in value << 8 | UInt128(byte) }
    }

    /// The shortest text of the address (RFC 5952).
    package var text: String {
        let count = family.bits / 8
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
        var characters = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(family == .v4 ? AF_INET : AF_INET6, bytes, &characters, socklen_t(characters.count))
        return String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
