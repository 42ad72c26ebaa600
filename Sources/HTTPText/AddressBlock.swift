/// All addresses that share a prefix, such as `10.0.0.0/8` (RFC 4632, RFC 4291 section 2.3).
package struct AddressBlock: Hashable, Sendable {
    /// The first address of the block.
    package let base: IPAddress
    /// The bits that all addresses of the block share: 0...32 for IPv4, 0...128 for IPv6.
    package let prefixLength: Int

    /// The block of `address` with a prefix of this length; `nil` if the address has fewer bits.
    package init?(around address: IPAddress, prefixLength: Int) {
        guard (0...address.family.bits).contains(prefixLength) else { return nil }
        base = Self.masked(address, to: prefixLength)
        self.prefixLength = prefixLength
    }

    private init(base: IPAddress, prefixLength: Int) { (self.base, self.prefixLength) = (base, prefixLength) }

    /// `127.0.0.1/32`.
    package static let loopback = AddressBlock(base: IPAddress(family: .v4, value: 0x7f00_0001), prefixLength: 32)

    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or one address.
    ///
    /// - Parameter text: Its address may be any one of the block; ``base`` is the first one in any case.
    package init?(_ text: String) {
        guard let slash = text.firstIndex(of: "/") else {
            guard let address = IPAddress(text) else { return nil }
            self.init(around: address, prefixLength: address.family.bits)
            return
        }
        // An IPv4 prefix inside IPv6 would need 96 bits subtracted from its length; it is not used in practice.
        guard let address = IPAddress(String(text[..<slash])), address.family == .v6 || !text.contains(":"),
            let length = Int(digits: text[text.index(after: slash)...].utf8), text.hasSuffix("/\(length)")
        else { return nil }
        self.init(around: address, prefixLength: length)
    }

    /// The first address and the length of the prefix: `192.0.2.0/24`, also for a single address.
    package var text: String { "\(base.text)/\(prefixLength)" }

    /// The text by which addresses of one client are equal: the block of an IPv6 address, any other address itself.
    ///
    /// A host of IPv6 usually has a whole /64 of addresses (RFC 7421), and uses many of them (RFC 8981).
    ///
    /// - Parameters:
    ///   - address: Its text; other text is returned unchanged.
    ///   - ipv6Prefix: The length of the block's prefix, 1...128.
    /// - Returns: The text of the block, or of the address.
    package static func client(_ address: String, ipv6Prefix: Int) -> String {
        guard address.contains(byte: UInt8(ascii: ":")), let parsed = IPAddress(address) else { return address }
        guard parsed.family == .v6, ipv6Prefix < parsed.family.bits else { return parsed.text }
        return AddressBlock(around: parsed, prefixLength: ipv6Prefix)?.text ?? parsed.text
    }

    /// Whether `address` is of this family and shares the prefix.
    package func contains(_ address: IPAddress) -> Bool {
        address.family == base.family && Self.masked(address, to: prefixLength) == base
    }

    private static func masked(_ address: IPAddress, to length: Int) -> IPAddress {
        // Swift's smart shift returns 0 if the whole width is shifted out.
        let hostBits = address.family.bits - length
        return IPAddress(family: address.family, value: (address.value >> hostBits) << hostBits)
    }
}
