import Flow
import HTTPText

/// One line of a ``Route/TierFile``: `key tier`, or `sha256:` and the hash of the key, and the tier.
///
/// The tier is the last word of the line: a key may contain spaces, as `Bearer TOKEN`.
struct TierLine: Equatable {
    enum Key: Equatable {
        case client(ClientKey)
        /// The SHA-256 of the client's key, in 64 lower-case hexadecimal digits.
        case hash(String)
    }

    let key: Key
    let tier: String

    /// Reads a line; `nil` if it is empty or a comment.
    ///
    /// - Parameters:
    ///   - text: Without the line feed.
    ///   - identity: What identifies the clients of the route.
    /// - Throws: What is wrong. It never contains the key, which may be secret.
    init?(_ text: Substring, identity: Route.ClientKey) throws(Refusal) {
        let text = (text.utf8.last == UInt8(ascii: "\r") ? text.dropLast() : text).trimmingOptionalWhitespace
        guard !text.isEmpty, text.utf8.first != UInt8(ascii: "#") else { return nil }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control && $0 != "\t" }) else {
            throw Refusal(reason: "the line has a control character")
        }
        guard let blank = text.utf8.lastIndex(where: \.isOptionalWhitespace) else {
            throw Refusal(reason: "the line is one word; allowed: a client's key, a space, and the name of its tier")
        }
        let name = String(text[text.utf8.index(after: blank)...])
        guard let tier = try Form<String>.tierName.read(name) else {
            throw Refusal(reason: "the last word is no tier; allowed: \(Form<String>.tierName.allowed)")
        }
        self.tier = tier
        key = try Self.key(text[..<blank].trimmingOptionalWhitespace, identity)
    }

    private static let hashPrefix = "sha256:"

    private static func key(_ text: Substring, _ identity: Route.ClientKey) throws(Refusal) -> Key {
        if text.hasPrefix(hashPrefix) {
            let digits = text.dropFirst(hashPrefix.count).lowercased()
            guard digits.utf8.count == 64, digits.utf8.allSatisfy({ $0.hexadecimalDigit != nil }) else {
                throw Refusal(reason: "the hash is malformed; allowed: `sha256:` and 64 hexadecimal digits")
            }
            return .hash(digits)
        }
        switch identity {
        case .header: return .client(identity.key(of: String(text)))
        case .address:
            guard let key = address(text, identity) else {
                throw Refusal(reason: "the key is no address; allowed: an address, since `client_key` is `address`")
            }
            return .client(key)
        case .certificate:
            // openssl writes the bytes of a fingerprint in upper case, with colons between them.
            let digits = text.filter { $0 != ":" }.lowercased()
            if digits.utf8.count == 64, digits.utf8.allSatisfy({ $0.hexadecimalDigit != nil }) {
                return .client(ClientKey(digits))
            }
            guard let key = address(text, identity) else {
                throw Refusal(reason: "the key is no fingerprint; allowed: 64 hexadecimal digits, or an address")
            }
            return .client(key)
        }
    }

    /// The key of an address; of IPv6 also if it is written as the network that is one client.
    private static func address(_ text: Substring, _ identity: Route.ClientKey) -> ClientKey? {
        guard text.contains("/") else { return IPAddress(String(text)).map { identity.key(of: $0.text) } }
        guard let block = AddressBlock(String(text)) else { return nil }
        let key = identity.key(of: block.base.text)
        return key.text == block.text ? key : nil
    }
}
