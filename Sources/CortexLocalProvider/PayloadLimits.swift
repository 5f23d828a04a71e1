/// What workers are told to accept of a payload.
package struct PayloadLimits: Hashable, Sendable {
    /// A body or an answer beyond it goes through a file.
    package var inlineLimit: Int
    package var jsonDepth: Int
    /// Parts or fields of a form.
    package var formParts: Int

    package init(inlineLimit: Int = 1 << 20, jsonDepth: Int = 512, formParts: Int = 1000) {
        self.inlineLimit = inlineLimit
        self.jsonDepth = jsonDepth
        self.formParts = formParts
    }
}
