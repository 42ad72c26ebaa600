import HTTPText

extension String {
    /// Whether this names a field in which a proxy reports its client, or the original form of the request.
    ///
    /// Upstreams trust these, so they pass only from a trusted peer. Only RFC 9440's `Client-Cert` is standardised; the list
    /// contains the names that servers, frameworks and large providers read.
    var isSetByProxies: Bool {
        switch utf8.count {
        case 9 where isField("x-real-ip") || isField("client-ip"): true
        case 11 where isField("x-client-ip") || isField("x-forwarded") || isField("client-cert"): true
        case 13 where isField("forwarded-for") || isField("x-rewrite-url"): true
        case 14 where isField("true-client-ip") || isField("x-original-url"): true
        case 15 where isField("x-original-host"): true
        case 16 where isField("cf-connecting-ip") || isField("fastly-client-ip"): true
        case 17 where isField("client-cert-chain"): true
        case 18 where isField("cf-connecting-ipv6"): true
        case 19 where isField("x-cluster-client-ip"): true
        case 24 where isField("x-original-forwarded-for"): true
        default: isForwardedField
        }
    }

    /// Whether CGI and WSGI, which write `_` for `-`, would confuse this with the name of another field.
    ///
    /// `X_Forwarded_For` is `HTTP_X_FORWARDED_FOR` there, as `X-Forwarded-For` is.
    var isAmbiguousField: Bool { contains(byte: UInt8(ascii: "_")) }

    /// Whether the name begins with `X-Forwarded-`.
    private var isForwardedField: Bool {
        utf8.count > 12 && self[..<utf8.index(startIndex, offsetBy: 12)].isCaseInsensitively("x-forwarded-")
    }
}
