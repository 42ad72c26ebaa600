import Flow

// TLS of the public listeners. The content of the files is not checked here: that takes a TLS library and the disk.

extension Schema {
    static var tlsKeys: [Key<Configuration.TLS>] {
        [
            Key(name: "certificate") { setting, tls in
                if let file = writtenPath(in: setting) { tls.certificate = file }
            }.required,
            Key(name: "key") { setting, tls in
                if let file = writtenPath(in: setting) { tls.key = file }
            }.required,
            Key(name: "client_ca") { setting, tls in
                tls.clientAuthority = writtenPath(in: setting, orOff: true)
            },
            Key("client_certificates", .word(), \.clientCertificates),
            Key("minimum_version", .word(), \.minimumVersion),
        ]
    }

    static var tls: Key<Configuration> {
        Key(name: "tls") { setting, configuration in
            guard !setting.isOff else { return configuration.tls = nil }
            let errors = setting.reading.errors.count
            var tls = Configuration.TLS.blank
            setting.read(tlsKeys, into: &tls, or: Off.allowed)
            guard errors == setting.reading.errors.count else { return }
            configuration.tls = tls
            if tls.clientAuthority == nil, let written = setting["client_certificates"] {
                written.report("has no effect here; allowed: with `client_ca`")
            }
        }
    }

    /// Reports routes that identify clients by certificates that weir does not request, if there is no other error.
    static func checkClientKeys(of configuration: Configuration, in setting: Setting) {
        guard setting.reading.errors.isEmpty, configuration.tls?.clientAuthority == nil,
            let items = setting["routes"]?.items
        else { return }
        for (route, item) in zip(configuration.routes, items) where route.clientKey == .certificate {
            item["client_key"]?.report(
                "is `certificate`, and client certificates are not requested; allowed: with `tls.client_ca`")
        }
    }

    static func writtenPath(in setting: Setting, orOff: Bool = false) -> WrittenPath? {
        let path = orOff ? setting.value(Form.filePath.or(Off.words)) ?? nil : setting.value(.filePath)
        let position = setting.position
        return path.map {
            WrittenPath(path: $0, written: setting.description, line: position.line, column: position.column)
        }
    }
}

extension Configuration.TLS {
    /// The initial value; both files are required, so an error was reported if one of these remains.
    fileprivate static var blank: Configuration.TLS {
        let nowhere = WrittenPath(path: "", written: "", line: 1, column: 1)
        return Configuration.TLS(certificate: nowhere, key: nowhere)
    }
}
