-- A customer's classifications are found by the customer where they are erased and exported; by the feedback they are found by their key.
CREATE INDEX classification_by_customer ON classification (tenant_id, customer) WHERE customer <> '';

-- What a priority model decided, without the words of the text that it and its facts quote.
CREATE FUNCTION decided_without_words(decided jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(decided) = 'object' THEN decided || jsonb_build_object(
        'facts', decided -> 'facts' || '{"terms": [], "impact_words": "…"}',
        'decision', decided -> 'decision' || jsonb_build_object('steps', '', 'scores', (
            SELECT coalesce(jsonb_agg(scored || '{"said": ""}' ORDER BY place), '[]')
            FROM jsonb_array_elements(decided -> 'decision' -> 'scores') WITH ORDINALITY AS of_decision (scored, place))))
    ELSE decided END
$$;
