/** What {@code --split} says, by the rules of the tool that reads it: all in tokens, or all in per cent. */
class Splits {
    static final List<String> NAMES = ['train', 'analysis', 'heldout', 'examples']

    /** Name to amount, in the order given. */
    final Map<String, BigDecimal> amounts = [:]
    /** Whether amounts are per cent; else they are tokens. */
    final boolean shares

    /** @throws IllegalArgumentException with one line, for what the tool would refuse later */
    Splits(String text) {
        List<String> entries = text.split(',', -1)*.trim()
        shares = entries.any { it.endsWith('%') }
        entries.each { entry ->
            def (_, name, amount, percent) = (entry =~ /^([a-z]+)=(\d{1,15}(?:\.\d{1,6})?)(%?)$/).with { it ? it[0] : [null] * 4 }
            if (!(name in NAMES)) {
                throw new IllegalArgumentException("--split: '${entry}' is neither NAME=TOKENS nor NAME=SHARE% with a name out of ${NAMES.join(', ')}")
            }
            if (!percent && shares) {
                throw new IllegalArgumentException("--split '${text}': give all splits in tokens, or all in per cent")
            }
            if (!percent && amount.contains('.')) {
                throw new IllegalArgumentException("--split: '${entry}' is not a whole number of tokens")
            }
            if ((amount as BigDecimal) == 0) {
                throw new IllegalArgumentException("--split: '${entry}' asks for nothing; leave the split out instead")
            }
            if (amounts.put((String) name, amount as BigDecimal) != null) {
                throw new IllegalArgumentException("--split '${text}' has '${name}' twice")
            }
        }
        if (shares && amounts.values().sum() > 100) {
            throw new IllegalArgumentException("--split '${text}' adds up to ${amounts.values().sum()}%, more than all of the text")
        }
    }

    /**
     * Tokens that a split gets, at most; null where it gets none, or a share of what is not known.
     *
     * @param tokens of all splits together, or 0 where they were not counted
     */
    Long tokens(String name, long tokens) {
        BigDecimal amount = amounts[name]
        if (amount == null || !shares) {
            return amount?.longValueExact()
        }
        return tokens == 0 ? null : Math.round(tokens * amount.doubleValue() / 100)
    }
}
