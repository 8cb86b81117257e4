-- ORDER BY, LIMIT, OFFSET and top-N. Orders are total where they decide.
-- @ordered
SELECT id, k FROM facts ORDER BY k, id;
-- @ordered
SELECT id, k FROM facts ORDER BY k DESC NULLS LAST, id DESC;
-- @ordered
SELECT id, k FROM facts ORDER BY k ASC NULLS FIRST, id LIMIT 20;
-- @ordered
SELECT id, d FROM facts ORDER BY d, id LIMIT 500;
-- @ordered
SELECT id, d FROM facts ORDER BY d DESC, id LIMIT 300;
-- @ordered
SELECT id, s FROM facts ORDER BY s, id;
-- @ordered
SELECT id FROM facts ORDER BY s COLLATE NOCASE, id LIMIT 100;
-- @ordered
SELECT id, x FROM facts ORDER BY x DESC NULLS LAST, id LIMIT 10;
-- @ordered
SELECT id, x FROM facts ORDER BY abs(x), id LIMIT 10 OFFSET 5;
-- @ordered
SELECT id FROM facts ORDER BY id LIMIT 10 OFFSET 2995;
-- @ordered
SELECT id FROM facts ORDER BY id OFFSET 2980;
-- @ordered
SELECT id FROM facts ORDER BY id LIMIT 0;
-- @ordered
SELECT id FROM facts ORDER BY id LIMIT 10 OFFSET 5000;
-- @ordered
SELECT id FROM facts ORDER BY id DESC LIMIT 1;
-- @ordered
SELECT id FROM facts ORDER BY id LIMIT 1%;
-- @ordered
SELECT id FROM facts ORDER BY id LIMIT (SELECT max(grp) FROM dims);
-- @ordered
SELECT g, count(*) AS c FROM facts GROUP BY g ORDER BY c DESC, g LIMIT 3;
-- @ordered
SELECT k, sum(x) AS t FROM facts GROUP BY k ORDER BY t DESC NULLS LAST, k LIMIT 15;
-- @ordered
SELECT f.id, m.name FROM facts f JOIN dims m ON f.k = m.k ORDER BY m.name, f.id LIMIT 25;
-- @ordered
SELECT DISTINCT k FROM facts ORDER BY k DESC LIMIT 12;
-- @ordered
SELECT id, ts FROM facts ORDER BY ts DESC NULLS LAST, id LIMIT 10;
-- @ordered
SELECT id, dt, n FROM facts ORDER BY dt NULLS FIRST, n DESC, id LIMIT 60;
-- @ordered
SELECT * FROM facts ORDER BY ALL LIMIT 30;
-- @ordered
SELECT id FROM empty_t ORDER BY id LIMIT 5;
-- @ordered
SELECT id, rare FROM nulls ORDER BY rare NULLS LAST, id;
-- @count
SELECT id FROM facts LIMIT 10;
-- @count
SELECT id FROM facts WHERE g = 2 LIMIT 10 OFFSET 5;
-- @count
SELECT f.id FROM facts f JOIN dims m ON f.k = m.k LIMIT 50;
-- @count
SELECT id FROM facts LIMIT 100000;
-- @count
SELECT id FROM facts LIMIT 100000 OFFSET 2990;
SELECT count(*) FROM (SELECT id FROM facts LIMIT 17);
SELECT count(*), min(id), max(id) FROM (SELECT id FROM facts ORDER BY id LIMIT 17 OFFSET 3);
SELECT sum(id) FROM (SELECT id FROM facts ORDER BY x DESC NULLS LAST, id LIMIT 100);
SELECT m.k, t.id FROM dims m JOIN (SELECT id, k FROM facts ORDER BY id DESC LIMIT 100) t ON t.k = m.k;
SELECT g, count(*) FROM (SELECT g FROM facts ORDER BY id LIMIT 200) GROUP BY g;
(SELECT id FROM facts ORDER BY id LIMIT 3) UNION ALL (SELECT id FROM facts ORDER BY id DESC LIMIT 3);
-- @ordered
SELECT id FROM (SELECT id FROM facts ORDER BY id LIMIT 50) ORDER BY id DESC LIMIT 5;
-- @ordered
SELECT id, vc FROM odd ORDER BY vc, id;
-- @ordered
SELECT id, iv FROM odd WHERE iv IS NOT NULL ORDER BY iv, id;
-- @ordered
SELECT id, li, st FROM odd ORDER BY li, st, id LIMIT 100;
-- @ordered
SELECT id, bl, ub, dec38, tz FROM odd ORDER BY bl, ub DESC, dec38, tz, id;
-- @ordered
SELECT id, hu FROM readings ORDER BY hu DESC, id LIMIT 100;
-- @ordered
SELECT id, length(t) FROM texts ORDER BY t DESC NULLS FIRST, id LIMIT 30;
-- @ordered
SELECT id FROM facts WHERE id < 30 ORDER BY -id;
-- @ordered
SELECT id, row_number() OVER (ORDER BY id DESC) FROM facts ORDER BY 2 LIMIT 10;
