import HTTPText

/// Texts that are used in a request, a response, or a system call, and may only contain what is legal there.
extension Form where Value == String {
    static var filePath: Form {
        Form(allowed: "a path of at most 4095 bytes", .text) { text in
            (1...4095).contains(text.utf8.count) && !text.utf8.contains(0) ? text : nil
        }
    }

    /// A field name (RFC 9110, section 5.1).
    static var headerName: Form {
        Form(allowed: "the name of a header, of at most 100 characters") { text in
            (1...100).contains(text.utf8.count) && text.utf8.allSatisfy(\.isTokenByte) ? text : nil
        }
    }

    /// A route's name, as a label of metrics.
    static var routeName: Form { name(with: "-._/") }

    /// A tier's name, as it is written in a header or at the end of a line.
    static var tierName: Form { name(with: "-._") }

    /// The name of a parameter of a query, and the value of a parameter or a field.
    static var parameterName: Form {
        Form(allowed: "the name of a parameter, of at most 100 characters", .text) {
            (1...100).contains($0.utf8.count) ? $0 : nil
        }
    }

    static var parameterValue: Form {
        Form(allowed: "a value of at most 1024 characters", .text) { $0.utf8.count <= 1024 ? $0 : nil }
    }

    /// A media type for comparisons: in lower case, without parameters (RFC 9110, section 8.3.1).
    static var mediaType: Form {
        Form(allowed: "a media type such as `application/vnd.acme+lines`, without parameters") { text in
            let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            let isType = parts.allSatisfy {
                !$0.isEmpty && !$0.contains(UInt8(ascii: "*")) && $0.allSatisfy(\.isTokenByte)
            }
            return parts.count == 2 && text.utf8.count <= 255 && isType ? text.lowercased() : nil
        }
    }

    /// The pseudonym of a host in `Via` (RFC 9110, section 7.6.3).
    static var pseudonym: Form { name(with: "-._") }

    private static func name(with others: String) -> Form {
        Form(allowed: "a name of letters, digits and `\(others)`, of at most 64 characters", .text) { text in
            let isName = text.utf8.allSatisfy { $0.isLetter || $0.isDigit || others.utf8.contains($0) }
            return (1...64).contains(text.utf8.count) && isName ? text : nil
        }
    }

    /// The name of a proxy in `Proxy-Status`, a token of structured fields (RFC 9651, section 3.3.4).
    static var proxyName: Form {
        Form(allowed: "a name of letters, digits and `-._`, a letter first, of at most 64 characters", .text) { text in
            try? pseudonym.read(text).flatMap { $0.utf8.first?.isLetter == true ? $0 : nil }
        }
    }

    /// A method of a request: any token, case-sensitive (RFC 9110, section 9.1).
    static var method: Form {
        Form(allowed: "a method, such as `GET`, of at most 32 characters") { text throws(Refusal) in
            guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy(\.isTokenByte) else { return nil }
            let upper = text.uppercased()
            guard text == upper || !MethodSemantics.standard.contains(upper) else {
                throw Refusal(reason: "methods are case-sensitive; allowed: `\(upper)`")
            }
            return text
        }
    }

    /// A host for comparisons: in lower case, without port or brackets.
    static var host: Form {
        Form(
            allowed: "a host without a port, such as `example.com` or `[::1]`", .string,
            text: { Authority.text(host: $0, port: nil) }
        ) { text in
            guard let authority = Authority(written: text), authority.port == nil else { return nil }
            return authority.host.lowercased()
        }
    }

    /// The path of a request, or its prefix (RFC 3986, section 3.3).
    static var routePath: Form {
        Form(allowed: "a path that begins with `/`, percent-encoded, of at most 1024 characters", .pattern("/.*")) {
            text throws(Refusal) in
            if text.hasPrefix("/"), text.contains("?") {
                throw Refusal(reason: "a path to match has no query; allowed: `query` beside `path`")
            }
            guard text.hasPrefix("/"), text.utf8.count <= 1024, text.utf8.allSatisfy(\.isPath) else { return nil }
            // Such a prefix would match only requests that careful clients do not send and careful servers reject.
            guard !text.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }), !text.contains("//") else {
                throw Refusal(reason: "a path to match must not have an empty, `.` or `..` segment")
            }
            return text
        }
    }

    /// A path that weir answers itself, without a slash at its end.
    static var ownPath: Form {
        Form(allowed: "a path such as `/v1/streams`, percent-encoded, of at most 1024 characters", .pattern("/.+")) {
            text throws(Refusal) in
            guard let path = try routePath.read(text), path != "/" else { return nil }
            return path.hasSuffix("/") ? String(path.dropLast()) : path
        }
    }

    /// The location of a value in a JSON document (RFC 6901, section 3), except the whole document.
    static var jsonPointer: Form {
        Form(allowed: "a JSON Pointer that begins with `/`, of at most 256 bytes, such as `/orderId`", .pattern("/.*"))
        {
            text throws(Refusal) in
            guard text.hasPrefix("/"), text.utf8.count <= 256 else { return nil }
            let escapes = text.utf8.split(separator: UInt8(ascii: "~"), omittingEmptySubsequences: false).dropFirst()
            guard escapes.allSatisfy({ $0.first == UInt8(ascii: "0") || $0.first == UInt8(ascii: "1") }) else {
                throw Refusal(reason: "in a JSON Pointer `~` is only allowed as `~0` for itself and `~1` for `/`")
            }
            return text
        }
    }

    /// A text that a record may consist of or contain.
    static var recordText: Form {
        Form(allowed: "a text of at most 256 bytes, without white space at its ends", .text) { text in
            let isTrimmed = !(text.first?.isWhitespace ?? true) && !(text.last?.isWhitespace ?? true)
            return isTrimmed && text.utf8.count <= 256 ? text : nil
        }
    }

    /// The beginning of a problem's type, followed by a slash (RFC 9457, section 3.1.1: an absolute URI is best).
    static var problemBase: Form {
        Form(
            allowed: "a URL such as `https://example.com/problems` or a path, of at most 1024 characters", .string,
            text: { $0.isEmpty ? "/" : $0 }
        ) { text in
            let isReference = text.hasPrefix("/") || text.contains(":")
            guard isReference, text.utf8.count <= 1024, text.utf8.allSatisfy({ $0.isPath || "?#[]".utf8.contains($0) })
            else { return nil }
            return String(text.reversed().drop { $0 == "/" }.reversed())
        }
    }
}

extension Form where Value == Secret {
    /// A bearer token (RFC 6750, section 2.1), in a form that every client can send.
    static var token: Form {
        Form(
            allowed: "16 to 1024 visible ASCII characters, without spaces",
            secret: { text in
                (16...1024).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
                    ? Secret(text) : nil
            })
    }
}

extension Form where Value == Configuration.AccessLog.Destination {
    static var logDestination: Form {
        Form(
            allowed: "`-` for standard output, a path of at most 4095 bytes", .text,
            text: { if case .file(let path) = $0 { path } else { "-" } }
        ) { text in
            guard (1...4095).contains(text.utf8.count) else { return nil }
            return text == "-" ? .standardOutput : .file(path: text)
        }
    }
}

extension Form where Value == Route.ClientKey {
    /// The kinds that need only their name.
    static var clientKeyWord: Form {
        Form(
            allowed: "`address`, `certificate`", .words(["address", "certificate"]),
            text: { $0 == .certificate ? "certificate" : "address" }
        ) { text in
            switch text {
            case "address": .address(ipv6Prefix: Route.ClientKey.standardIPv6Prefix)
            case "certificate": .certificate
            default: nil
            }
        }
    }
}

extension Form where Value == Route.HostHeader {
    static var hostHeader: Form {
        Form(
            allowed: "`preserve`, `upstream`, or a host and perhaps a port", .string,
            text: {
                switch $0 {
                case .preserve: "preserve"
                case .upstream: "upstream"
                case .literal(let host): host
                }
            }
        ) { text in
            switch text {
            case "preserve": .preserve
            case "upstream": .upstream
            default: Authority(written: text).map { .literal($0.text) }
            }
        }
    }
}

extension UInt8 {
    /// RFC 3986: `pchar`, `/`, and the `%` of a percent-encoded octet.
    var isPath: Bool { isLetter || isDigit || "-._~!$&'()*+,;=:@/%".utf8.contains(self) }
}
