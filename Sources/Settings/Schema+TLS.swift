import Flow

// TLS towards clients. What stands in the files is not looked at here: that takes a library and the disk.

extension Schema {
    static var tlsKeys: [Key<Configuration.TLS>] {
        [
            Key(name: "certificate") { place, tls in
                if let file = writtenPath(in: place) { tls.certificate = file }
            }.required,
            Key(name: "key") { place, tls in
                if let file = writtenPath(in: place) { tls.key = file }
            }.required,
            Key(name: "client_ca") { place, tls in
                tls.clientAuthority = writtenPath(in: place, orOff: true)
            },
            Key("client_certificates", .word(), \.clientCertificates),
            Key("minimum_version", .word(), \.minimumVersion),
        ]
    }

    static var tls: Key<Configuration> {
        Key(name: "tls") { place, configuration in
            guard !place.isOff else { return configuration.tls = nil }
            let errors = place.reading.errors.count
            var tls = Configuration.TLS.blank
            place.read(tlsKeys, into: &tls, or: Off.allowed)
            guard errors == place.reading.errors.count else { return }
            configuration.tls = tls
            if tls.clientAuthority == nil, let written = place["client_certificates"] {
                written.report("means nothing here; allowed: beside `client_ca`")
            }
        }
    }

    /// Reports clients that are told apart by certificates which nobody asks them for, once everything else is right.
    static func checkClientKeys(of configuration: Configuration, in place: Place) {
        guard place.reading.errors.isEmpty, configuration.tls?.clientAuthority == nil,
            let items = place["routes"]?.items
        else { return }
        for (route, item) in zip(configuration.routes, items) where route.clientKey == .certificate {
            item["client_key"]?.report(
                "is `certificate`, and no client is asked for one; allowed: beside `tls.client_ca`")
        }
    }

    static func writtenPath(in place: Place, orOff: Bool = false) -> WrittenPath? {
        let path = orOff ? place.value(Form.filePath.or(Off.words)) ?? nil : place.value(.filePath)
        let position = place.position
        return path.map {
            WrittenPath(path: $0, written: place.description, line: position.line, column: position.column)
        }
    }
}

extension Configuration.TLS {
    /// Where reading it begins; both files are required, so what keeps one of these has been reported.
    fileprivate static var blank: Configuration.TLS {
        let nowhere = WrittenPath(path: "", written: "", line: 1, column: 1)
        return Configuration.TLS(certificate: nowhere, key: nowhere)
    }
}
