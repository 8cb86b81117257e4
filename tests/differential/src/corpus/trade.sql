-- A wholesale trade: questions with the shapes of TPC-H.
SELECT l_return, l_status, sum(l_quantity), sum(l_price), sum(l_price * (1 - l_discount)), sum(l_price * (1 - l_discount) * (1 + l_tax)), avg(l_quantity), avg(l_price), avg(l_discount), count(*) FROM trade.lineitem WHERE l_shipped <= DATE '1998-06-01' GROUP BY ALL ORDER BY ALL;
-- @ordered
SELECT s_balance, s_name, n_name, p_key FROM trade.part, trade.supplier, trade.partsupp, trade.nation, trade.region WHERE p_key = ps_part AND s_key = ps_supplier AND p_size < 7 AND p_type LIKE '%BRASS' AND s_nation = n_key AND n_region = r_key AND r_name IN ('EUROPE', 'ASIA') AND ps_cost = (SELECT min(ps_cost) FROM trade.partsupp, trade.supplier, trade.nation, trade.region WHERE p_key = ps_part AND s_key = ps_supplier AND s_nation = n_key AND n_region = r_key AND r_name IN ('EUROPE', 'ASIA')) ORDER BY s_balance DESC, n_name, s_name, p_key LIMIT 100;
-- @ordered
SELECT l_order, sum(l_price * (1 - l_discount)) AS revenue, o_date FROM trade.customer, trade.orders, trade.lineitem WHERE c_segment = 'BUILDING' AND c_key = o_customer AND l_order = o_key AND o_date < DATE '1995-03-15' AND l_shipped > DATE '1995-03-15' GROUP BY l_order, o_date ORDER BY revenue DESC, o_date, l_order LIMIT 10;
-- @ordered
SELECT o_priority, count(*) FROM trade.orders WHERE o_date >= DATE '1993-07-01' AND o_date < DATE '1994-07-01' AND EXISTS (SELECT 1 FROM trade.lineitem WHERE l_order = o_key AND l_committed < l_received) GROUP BY o_priority ORDER BY o_priority;
-- @ordered
SELECT n_name, sum(l_price * (1 - l_discount)) AS revenue FROM trade.customer, trade.orders, trade.lineitem, trade.supplier, trade.nation, trade.region WHERE c_key = o_customer AND l_order = o_key AND l_supplier = s_key AND c_nation % 5 = s_nation % 5 AND s_nation = n_key AND n_region = r_key AND r_name = 'ASIA' GROUP BY n_name ORDER BY revenue DESC, n_name;
SELECT sum(l_price * l_discount) FROM trade.lineitem WHERE l_shipped >= DATE '1994-01-01' AND l_shipped < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24;
-- @ordered
SELECT sn, cn, y, sum(volume) FROM (SELECT n1.n_name AS sn, n2.n_name AS cn, year(l_shipped) AS y, l_price * (1 - l_discount) AS volume FROM trade.supplier, trade.lineitem, trade.orders, trade.customer, trade.nation n1, trade.nation n2 WHERE s_key = l_supplier AND o_key = l_order AND c_key = o_customer AND s_nation = n1.n_key AND c_nation = n2.n_key AND ((n1.n_region = 1 AND n2.n_region = 2) OR (n1.n_region = 2 AND n2.n_region = 1))) GROUP BY sn, cn, y ORDER BY sn, cn, y;
-- @ordered
SELECT y, sum(CASE WHEN nation = 'NATION 3' THEN volume ELSE 0 END) / sum(volume) FROM (SELECT year(o_date) AS y, l_price * (1 - l_discount) AS volume, n2.n_name AS nation FROM trade.part, trade.supplier, trade.lineitem, trade.orders, trade.customer, trade.nation n1, trade.nation n2, trade.region WHERE p_key = l_part AND s_key = l_supplier AND l_order = o_key AND o_customer = c_key AND c_nation = n1.n_key AND n1.n_region = r_key AND r_name = 'AMERICA' AND s_nation = n2.n_key AND p_type LIKE 'PROMO%') GROUP BY y ORDER BY y;
-- @ordered
SELECT n_name, year(o_date) AS y, sum(l_price * (1 - l_discount) - ps_cost * l_quantity) FROM trade.part, trade.supplier, trade.lineitem, trade.partsupp, trade.orders, trade.nation WHERE s_key = l_supplier AND ps_supplier = l_supplier AND ps_part = l_part AND p_key = l_part AND o_key = l_order AND s_nation = n_key AND p_name LIKE '%green%' GROUP BY n_name, y ORDER BY n_name, y DESC;
-- @ordered
SELECT c_key, c_name, sum(l_price * (1 - l_discount)) AS revenue, c_balance, n_name FROM trade.customer, trade.orders, trade.lineitem, trade.nation WHERE c_key = o_customer AND l_order = o_key AND l_return = 'R' AND c_nation = n_key GROUP BY ALL ORDER BY revenue DESC, c_key LIMIT 20;
-- @ordered
SELECT ps_part, sum(ps_cost * ps_available) AS v FROM trade.partsupp, trade.supplier, trade.nation WHERE ps_supplier = s_key AND s_nation = n_key AND n_region = 2 GROUP BY ps_part HAVING v > (SELECT sum(ps_cost * ps_available) * 0.01 FROM trade.partsupp, trade.supplier, trade.nation WHERE ps_supplier = s_key AND s_nation = n_key AND n_region = 2) ORDER BY v DESC, ps_part;
-- @ordered
SELECT l_mode, sum(CASE WHEN o_priority IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END), sum(CASE WHEN o_priority NOT IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END) FROM trade.orders, trade.lineitem WHERE o_key = l_order AND l_mode IN ('MAIL', 'SHIP') AND l_committed < l_received AND l_shipped < l_committed GROUP BY l_mode ORDER BY l_mode;
-- @ordered
SELECT c_count, count(*) AS dist FROM (SELECT c_key, count(o_key) FROM trade.customer LEFT JOIN trade.orders ON c_key = o_customer AND o_comment NOT LIKE '%special%requests%' GROUP BY c_key) t(c_key, c_count) GROUP BY c_count ORDER BY dist DESC, c_count DESC;
SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_price * (1 - l_discount) ELSE 0 END) / sum(l_price * (1 - l_discount)) FROM trade.lineitem, trade.part WHERE l_part = p_key AND l_shipped >= DATE '1995-09-01' AND l_shipped < DATE '1996-01-01';
-- @ordered
WITH revenue AS (SELECT l_supplier AS s, sum(l_price * (1 - l_discount)) AS total FROM trade.lineitem WHERE l_shipped >= DATE '1996-01-01' GROUP BY l_supplier) SELECT s_key, s_name, total FROM trade.supplier, revenue WHERE s_key = s AND total = (SELECT max(total) FROM revenue) ORDER BY s_key;
-- @ordered
SELECT p_brand, p_type, p_size, count(DISTINCT ps_supplier) AS c FROM trade.partsupp, trade.part WHERE p_key = ps_part AND p_brand <> 'Brand#21' AND p_type NOT LIKE 'STANDARD%' AND p_size IN (1, 3, 5, 7, 9) AND ps_supplier NOT IN (SELECT s_key FROM trade.supplier WHERE s_comment LIKE '%Customer%Complaints%') GROUP BY ALL ORDER BY c DESC, p_brand, p_type, p_size;
SELECT sum(l_price) / 7.0 FROM trade.lineitem, trade.part WHERE p_key = l_part AND p_brand = 'Brand#12' AND l_quantity < (SELECT 0.5 * avg(l_quantity) FROM trade.lineitem WHERE l_part = p_key);
-- @ordered
SELECT c_name, c_key, o_key, o_date, o_total, sum(l_quantity) FROM trade.customer, trade.orders, trade.lineitem WHERE o_key IN (SELECT l_order FROM trade.lineitem GROUP BY l_order HAVING sum(l_quantity) > 150) AND c_key = o_customer AND o_key = l_order GROUP BY ALL ORDER BY o_total DESC, o_date, o_key LIMIT 100;
SELECT sum(l_price * (1 - l_discount)) FROM trade.lineitem, trade.part WHERE (p_key = l_part AND p_brand = 'Brand#12' AND p_container IN ('SM BOX', 'SM BAG') AND l_quantity BETWEEN 1 AND 30 AND l_mode IN ('AIR', 'MAIL')) OR (p_key = l_part AND p_brand = 'Brand#21' AND p_container IN ('MED BAG', 'LG BOX') AND l_quantity BETWEEN 10 AND 40 AND l_instruct = 'DELIVER IN PERSON');
-- @ordered
SELECT s_name FROM trade.supplier, trade.nation WHERE s_key IN (SELECT ps_supplier FROM trade.partsupp WHERE ps_part IN (SELECT p_key FROM trade.part WHERE p_name LIKE 'green%') AND ps_available > (SELECT 0.5 * sum(l_quantity) FROM trade.lineitem WHERE l_part = ps_part AND l_supplier = ps_supplier)) AND s_nation = n_key ORDER BY s_name;
-- @ordered
SELECT s_name, count(*) AS waits FROM trade.supplier, trade.lineitem l1, trade.orders, trade.nation WHERE s_key = l1.l_supplier AND o_key = l1.l_order AND o_status = 'F' AND l1.l_received > l1.l_committed AND EXISTS (SELECT 1 FROM trade.lineitem l2 WHERE l2.l_order = l1.l_order AND l2.l_supplier <> l1.l_supplier) AND NOT EXISTS (SELECT 1 FROM trade.lineitem l3 WHERE l3.l_order = l1.l_order AND l3.l_supplier <> l1.l_supplier AND l3.l_received > l3.l_committed) AND s_nation = n_key GROUP BY s_name ORDER BY waits DESC, s_name LIMIT 100;
-- @ordered
SELECT code, count(*), sum(c_balance) FROM (SELECT substring(c_phone, 1, 2) AS code, c_balance FROM trade.customer WHERE substring(c_phone, 1, 2) IN ('11', '13', '23', '29', '30', '18') AND c_balance > (SELECT avg(c_balance) FROM trade.customer WHERE c_balance > 0) AND NOT EXISTS (SELECT 1 FROM trade.orders WHERE o_customer = c_key)) GROUP BY code ORDER BY code;
SELECT c_nation, c_segment, count(*), sum(o_total), grouping(c_nation, c_segment) FROM trade.customer JOIN trade.orders ON c_key = o_customer GROUP BY ROLLUP (c_nation, c_segment);
SELECT o_customer, o_key, o_total, rank() OVER (PARTITION BY o_customer ORDER BY o_total DESC, o_key), sum(o_total) OVER (PARTITION BY o_customer ORDER BY o_date, o_key) FROM trade.orders;
SELECT year(o_date) AS y, quarter(o_date) AS q, count(*), count(DISTINCT o_customer), sum(o_total), lag(sum(o_total)) OVER (ORDER BY y, q) FROM trade.orders GROUP BY y, q;
SELECT p_brand, median(l_price), max(l_quantity), arg_max(l_order, (l_price, l_order)) FROM trade.lineitem JOIN trade.part ON l_part = p_key GROUP BY p_brand;
SELECT c_key FROM trade.customer WHERE c_key NOT IN (SELECT o_customer FROM trade.orders) UNION SELECT o_customer FROM trade.orders GROUP BY o_customer HAVING count(*) > 9;
SELECT l_mode, o_status, s_nation, sum(l_price) FROM trade.lineitem JOIN trade.orders ON l_order = o_key JOIN trade.supplier ON l_supplier = s_key GROUP BY CUBE (l_mode, o_status), s_nation HAVING sum(l_price) > 100000;
