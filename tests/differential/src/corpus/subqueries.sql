-- Subqueries: scalar, correlated, lateral.
SELECT id FROM facts WHERE x > (SELECT avg(x) FROM facts);
SELECT id, x - (SELECT min(x) FROM facts) FROM facts WHERE id < 100;
SELECT (SELECT count(*) FROM facts), (SELECT max(k) FROM dims);
SELECT (SELECT k FROM dims WHERE k = 5), (SELECT k FROM dims WHERE k = -5);
-- @fails
SELECT (SELECT k FROM dims);
-- @fails
SELECT id, (SELECT k FROM dims) FROM facts;
SELECT id, (SELECT name FROM dims WHERE dims.k = facts.k) FROM facts;
-- @fails
SELECT id, (SELECT k FROM dims WHERE dims.grp = facts.g) FROM facts;
SELECT id, (SELECT count(*) FROM dims WHERE dims.grp = facts.g) FROM facts;
SELECT id, (SELECT max(w) FROM dims WHERE dims.grp = facts.g AND dims.k < facts.id) FROM facts WHERE id < 400;
SELECT id FROM facts f WHERE x > (SELECT avg(x) FROM facts i WHERE i.g = f.g);
SELECT id FROM facts f WHERE x = (SELECT max(x) FROM facts i WHERE i.k = f.k);
SELECT id FROM facts f WHERE 3 < (SELECT count(*) FROM dims m WHERE m.grp = f.g AND m.up = f.k);
SELECT id FROM facts f WHERE EXISTS (SELECT 1 FROM facts i WHERE i.k = f.k AND i.id <> f.id AND i.g = f.g) AND id < 500;
SELECT id FROM facts f WHERE NOT EXISTS (SELECT 1 FROM facts i WHERE i.k = f.k AND i.id <> f.id);
SELECT id FROM facts f WHERE EXISTS (SELECT 1 FROM dims m WHERE m.k > f.id AND m.grp = 2);
SELECT id FROM facts f WHERE g IN (SELECT grp FROM dims m WHERE m.k = f.k);
SELECT id FROM facts f WHERE g NOT IN (SELECT grp FROM dims m WHERE m.up = f.k);
SELECT id, g IN (SELECT grp FROM dims m WHERE m.k = f.k) FROM facts f;
SELECT id FROM facts f WHERE EXISTS (SELECT 1 FROM dims WHERE k = 5);
SELECT id FROM facts f WHERE NOT EXISTS (SELECT 1 FROM empty_t);
SELECT id FROM facts f WHERE EXISTS (SELECT 1 FROM empty_t WHERE empty_t.k = f.k);
SELECT id FROM facts f WHERE (SELECT count(*) FROM empty_t e WHERE e.k = f.k) = 0 AND id < 30;
SELECT id, (SELECT sum(n) FROM empty_t e WHERE e.k = f.k) FROM facts f WHERE id < 30;
SELECT g, (SELECT count(*) FROM dims WHERE grp = g) FROM (SELECT DISTINCT g FROM facts);
SELECT g, sum(x), (SELECT sum(w) FROM dims WHERE grp = facts.g) FROM facts GROUP BY g;
SELECT g FROM facts GROUP BY g HAVING count(*) > (SELECT count(*) FROM dims) * 1.5;
SELECT f.id, l.c FROM facts f, LATERAL (SELECT count(*) AS c FROM dims m WHERE m.up = f.k) l WHERE f.id < 200;
SELECT f.id, l.k FROM facts f, LATERAL (SELECT k FROM dims m WHERE m.grp = f.g ORDER BY k DESC NULLS LAST LIMIT 2) l WHERE f.id < 200;
SELECT f.id, l.y FROM facts f, LATERAL (SELECT f.g + f.k AS y) l;
SELECT m.k, l.id FROM dims m LEFT JOIN LATERAL (SELECT max(id) AS id FROM facts f WHERE f.k = m.k) l ON true;
SELECT id FROM facts WHERE k = (SELECT k FROM one);
SELECT id FROM facts WHERE k = (SELECT k FROM nulls LIMIT 1);
SELECT id FROM facts WHERE (SELECT b) AND id < 50;
SELECT id FROM facts f WHERE g = (SELECT max(grp) FROM dims m WHERE m.k = f.k OR m.k = f.g) AND id < 100;
SELECT id, (SELECT list(m.k ORDER BY m.k) FROM dims m WHERE m.grp = f.g AND m.k < 12) FROM facts f WHERE id < 60;
SELECT id, (SELECT max(i.x) FROM facts i WHERE i.g = f.g AND i.b = f.b) FROM facts f WHERE id < 200;
SELECT id FROM facts f WHERE x >= ALL (SELECT x FROM facts i WHERE i.k = f.k AND x IS NOT NULL);
SELECT id FROM facts f WHERE g > (SELECT min(g) FROM facts i WHERE i.k = f.k AND EXISTS (SELECT 1 FROM dims m WHERE m.k = i.k AND m.grp = f.g)) AND id < 200;
SELECT id, CASE WHEN k IN (SELECT k FROM dims WHERE grp = 0) THEN 'in' ELSE (SELECT min(name) FROM dims WHERE grp = g) END FROM facts;
SELECT (SELECT sum(c) FROM (SELECT count(*) AS c FROM facts GROUP BY g HAVING g < o.k)) FROM one o;
SELECT id, ARRAY(SELECT k FROM dims m WHERE m.up = f.k ORDER BY k) FROM facts f WHERE id < 80;
SELECT m.k, (SELECT f.id FROM facts f WHERE f.k = m.k ORDER BY f.id LIMIT 1) FROM dims m;
SELECT m.k FROM dims m WHERE (SELECT count(DISTINCT g) FROM facts f WHERE f.k = m.k) = 3;
