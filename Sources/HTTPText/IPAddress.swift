#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An IPv4 or IPv6 address without port or zone.
///
/// An IPv4 address in IPv6 form (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is the IPv4 address: a socket that
/// listens on `[::]` reports its IPv4 peers in that form.
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
        // inet_pton would stop at a NUL and accept the text before it.
        guard !text.utf8.contains(0) else { return nil }
        var short: UInt32 = 0, long: UInt128 = 0
        if inet_pton(AF_INET, text, &short) == 1 {
            self.init(family: .v4, value: UInt128(UInt32(bigEndian: short)))
        } else if inet_pton(AF_INET6, text, &long) == 1 {
            let value = UInt128(bigEndian: long)
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

    /// The shortest text of the address (RFC 5952).
    package var text: String {
        var short = UInt32(truncatingIfNeeded: value).bigEndian, long = value.bigEndian
        return String(unsafeUninitializedCapacity: Int(INET6_ADDRSTRLEN)) { text in
            text.withMemoryRebound(to: CChar.self) { text in
                let written =
                    family == .v4
                    ? inet_ntop(AF_INET, &short, text.baseAddress, socklen_t(text.count))
                    : inet_ntop(AF_INET6, &long, text.baseAddress, socklen_t(text.count))
                return written.map { strlen($0) } ?? 0
            }
        }
    }
}
